/** Training: learning rates, clipping of gradients, and an optimizer whose state can be saved. */
@NullMarked
package org.slotwise.training;

import org.jspecify.annotations.NullMarked;
