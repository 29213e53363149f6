/**
 * Diffusion: how latents are noised, how networks are trained to take noise away, and how samples
 * are drawn with them.
 */
@NullMarked
package org.slotwise.diffusion;

import org.jspecify.annotations.NullMarked;
