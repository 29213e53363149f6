/** Groups the pixels of a picture by colour and place, without any training. */
@NullMarked
package org.slotwise.examples.group;

import org.jspecify.annotations.NullMarked;
