/** Programs that show what Slotwise does, and one command for all. None needs a network. */
@NullMarked
package org.slotwise.examples;

import org.jspecify.annotations.NullMarked;
