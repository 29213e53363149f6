/** Pictures made of slots by diffusion, and of slots of several pictures. */
@NullMarked
package org.slotwise.examples.diffusion;

import org.jspecify.annotations.NullMarked;
