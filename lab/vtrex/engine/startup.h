/* What goes wrong before the engine serves: told to the server, as one line, in the place of the first reply. */
#ifndef VTREX_STARTUP_H
#define VTREX_STARTUP_H

#include <stdbool.h>

/* From here to the next startup_loud() nobody sees what DPDK, its drivers and their libraries write to stderr: while
 * devices open and close that is much, and means nothing unless it fails.
 */
void startup_quiet(void);
void startup_loud(void);

/* Say where startup_failed() tells it. */
void startup_tell(int control_fd);

/* Tell the server what failed, and the first complaint that nobody saw. Returns false, for the caller to return. */
__attribute__((format(printf, 1, 2))) bool startup_failed(const char *format, ...);

#endif
