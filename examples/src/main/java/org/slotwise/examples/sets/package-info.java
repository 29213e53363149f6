/** Tells what objects pictures have, and where, after learning from pictures with answers. */
@NullMarked
package org.slotwise.examples.sets;

import org.jspecify.annotations.NullMarked;
