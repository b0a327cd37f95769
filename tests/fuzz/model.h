/*
 * What a fuzz target checks against: its model.
 *
 * A function marked MODEL is not instrumented, but for its addresses: the fuzzer is to steer by the
 * paths of the program, and loops over the octets of a model took nine tenths of a target's time.
 */
#ifndef POSTCARD_FUZZ_MODEL_H
#define POSTCARD_FUZZ_MODEL_H

#ifdef __clang__
#define MODEL __attribute__((noinline, no_sanitize("coverage", "undefined")))
#else
#define MODEL
#endif

#endif
