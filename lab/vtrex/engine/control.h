/* The control thread: answers the server's requests until the server is gone. */
#ifndef VTREX_CONTROL_H
#define VTREX_CONTROL_H

#include "message.h"

/* Serve requests from the stream socket; returns when the peer has closed it. */
void control_serve(int fd);

/* What runs traffic (control_traffic.c) and what reads results (control_results.c, of tagged frames control_tagged.c); each answers one request. */
void control_start(struct message *message);
void control_stop(struct message *message);
void control_rates(struct message *message);
void control_push(struct message *message);
void control_flow_set(struct message *message);
void control_address(struct message *message);

void control_ports(struct message *message);
void control_flows(struct message *message);
void control_latency(struct message *message);
void control_arrivals(struct message *message);
void control_variation(struct message *message);
void control_losses(struct message *message);
void control_trial(struct message *message);
void control_verified(struct message *message);
void control_sequence(struct message *message);
void control_memory(struct message *message);

void control_capture_start(struct message *message);
void control_capture_stop(struct message *message);
void control_capture_fetch(struct message *message);
void control_capture_remove(struct message *message);
void control_capture_status(struct message *message);

#endif
