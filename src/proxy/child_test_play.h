/* The child of the tests: this very program, started again to speak MCP on its standard streams. */
#ifndef PROXY_CHILD_TEST_PLAY_H
#define PROXY_CHILD_TEST_PLAY_H

/** For main(): plays the child and exits when the arguments say so. */
void child_test_play(int argc, char **argv);

#endif
