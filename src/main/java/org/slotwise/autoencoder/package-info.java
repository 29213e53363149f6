/** Between images and the latents that diffusion works on. */
@NullMarked
package org.slotwise.autoencoder;

import org.jspecify.annotations.NullMarked;
