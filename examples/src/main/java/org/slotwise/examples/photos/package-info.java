/** Finds objects in photographs and still lifes: slots that give features back. */
@NullMarked
package org.slotwise.examples.photos;

import org.jspecify.annotations.NullMarked;
