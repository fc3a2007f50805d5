/* The few functions of numbers whose last bit must be the same on each machine: libm's differ. They
 * use only operations that IEEE 754 rounds correctly, and are compiled without contraction. */
#ifndef SENTIMENT_ENGINE_MATH_H
#define SENTIMENT_ENGINE_MATH_H

#include <stddef.h>

/** e to the x; x is taken to [-60, 60] first. Relative error below 1e-14. */
double math_exp(double x);
/** Natural logarithm of a positive x. */
double math_log(double x);
/** Turns n numbers into probabilities with sum 1. */
void math_softmax(double *v, size_t n);

#endif
