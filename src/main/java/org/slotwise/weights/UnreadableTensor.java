package org.slotwise.weights;

/**
 * A tensor of a kind that is not read.
 *
 * @param what "a sparse tensor"
 * @param remedy what makes a plain one of it in Python, %s being its name; empty if nothing does
 */
record UnreadableTensor(String what, String remedy) {}
