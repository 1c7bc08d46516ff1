/* A verifier: what the frames of one flow must look like where they arrive, and which of them have come.
 *
 * It is made and freed by the control thread; while it is in `verifiers` it belongs to the poll thread. It stays there
 * when its trial is over, so that frames which come too late are known.
 */
#ifndef VTREX_VERIFIER_H
#define VTREX_VERIFIER_H

#include <stdbool.h>
#include <stdint.h>

#include "field.h"
#include "protocol.h"
#include "signature.h"
#include "timetable.h"
#include "window.h"

struct verifier {
	struct identity identity;
	uint32_t flow, trial;
	uint16_t length;     /* of the frame */
	uint16_t compared;   /* bytes of `expected` and `mask`, a multiple of 16; the signature's are masked */
	uint8_t tx_port, rx_port;
	uint8_t generation;  /* of latency frames */
	uint64_t sent;       /* numbers given, to frames built or refused: those from here on cannot come */
	uint64_t begin;      /* tick of the start: what was stamped before is of an earlier one */
	struct window window;
	uint8_t *expected, *mask;
	struct verifier *next; /* of the retired ones */
	struct timetable timetable; /* of its numbers; large and seldom touched, so behind what each frame needs */
};

extern struct verifier *verifiers[ALL_FLOWS];
extern uint16_t installed_flows[ALL_FLOWS]; /* those that have one, in no order */
extern uint32_t verifiers_installed;        /* so many of them */
extern uint32_t verifier_trial; /* the random number of the present trial */

/* Choose the secret of all signatures. False when the system has no random numbers. */
bool verifier_setup(void);

/* Make the verifier of a stream that sends `frames` (0: nobody knows how many); NULL when its frame or its program does
 * not allow it, or there is no memory.
 */
struct verifier *verifier_new(const struct stream_spec *spec, const struct verify_spec *how, const uint8_t *frame,
			      const struct field_program *program, uint64_t frames);
void verifier_free(struct verifier *verifier);

/* Poll thread: begin a trial; let a verifier decide on its flow's frames from now on, or none. */
void verifier_begin_trial(void);
void verifier_install(struct verifier *verifier, uint32_t tx_port, uint64_t now);
void verifier_retire(uint32_t flow);

/* Control thread: free what was retired. */
void verifier_free_retired(void);

#endif
