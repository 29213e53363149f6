/** The smallest training with DJL's {@code Trainer}. */
@NullMarked
package org.slotwise.examples.train;

import org.jspecify.annotations.NullMarked;
