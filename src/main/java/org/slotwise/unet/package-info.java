/** Networks that take noise from latents, step by step, as slots tell them. */
@NullMarked
package org.slotwise.unet;

import org.jspecify.annotations.NullMarked;
