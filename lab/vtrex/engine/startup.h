/* What goes wrong before the engine serves: told to the server, as one line, in the place of the first reply. */
#ifndef VTREX_STARTUP_H
#define VTREX_STARTUP_H

#include <stdbool.h>

/* Keep what DPDK and its drivers say from now on until startup_done(); after that it goes to stderr. */
void startup_begin(int control_fd);
void startup_done(void);

/* Tell the server what failed, and the first thing that DPDK said of it. Returns false, for the caller to return. */
__attribute__((format(printf, 1, 2))) bool startup_failed(const char *format, ...);

#endif
