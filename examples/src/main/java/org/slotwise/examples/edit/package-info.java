/** Describes the objects that {@code discover} finds by codes, and changes one of them. */
@NullMarked
package org.slotwise.examples.edit;

import org.jspecify.annotations.NullMarked;
