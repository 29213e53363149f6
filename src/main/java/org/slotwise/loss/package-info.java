/** Losses whose gradients are right on every device. */
@NullMarked
package org.slotwise.loss;

import org.jspecify.annotations.NullMarked;
