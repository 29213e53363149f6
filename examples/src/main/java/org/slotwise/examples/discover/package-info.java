/** Finds the objects of pictures, after learning from pictures alone. */
@NullMarked
package org.slotwise.examples.discover;

import org.jspecify.annotations.NullMarked;
