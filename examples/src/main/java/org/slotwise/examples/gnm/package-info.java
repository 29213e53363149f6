/** Scenes explained by counted, placed objects, and new ones made: a small GNM. */
@NullMarked
package org.slotwise.examples.gnm;

import org.jspecify.annotations.NullMarked;
