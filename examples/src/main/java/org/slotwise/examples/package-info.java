/** Programs that show what Slotwise does. Each has a {@code main} and needs no network. */
@NullMarked
package org.slotwise.examples;

import org.jspecify.annotations.NullMarked;
