/**
 * Decoders: blocks that turn slots into images and masks.
 *
 * <p>Letters in shapes: B images, K slots, D slot size, H and W height and width of an image.
 */
@NullMarked
package org.slotwise.decoder;

import org.jspecify.annotations.NullMarked;
