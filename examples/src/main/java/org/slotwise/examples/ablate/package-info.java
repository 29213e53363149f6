/** Trains variants of one small model around Slot Attention, and compares them. */
@NullMarked
package org.slotwise.examples.ablate;

import org.jspecify.annotations.NullMarked;
