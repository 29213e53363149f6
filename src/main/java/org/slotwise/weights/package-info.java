/**
 * Weights in and out: the parameters of a block by the names that PyTorch users know, in files that
 * Python reads and writes.
 */
@NullMarked
package org.slotwise.weights;

import org.jspecify.annotations.NullMarked;
