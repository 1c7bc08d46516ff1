/* The machine as a whole: start of the kernel, of the shell, and the way back to the firmware. */
#ifndef PIX_MACHINE_H
#define PIX_MACHINE_H

/* Runs the shell in ring 3 of core 0, from its beginning. */
void machine_run_shell(void) __attribute__((noreturn));
/* Resets the machine: it boots again. */
void machine_reset(void) __attribute__((noreturn));

#endif
