/** Trains the model of {@code ablate} with one grouping after the other, and compares them. */
@NullMarked
package org.slotwise.examples.compare;

import org.jspecify.annotations.NullMarked;
