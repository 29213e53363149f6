/** The smallest training with DJL's {@code Trainer}. */
@NullMarked
package org.slotwise.examples.minimal;

import org.jspecify.annotations.NullMarked;
