/**
 * Encoders: blocks that turn images into features and the places where they lie.
 *
 * <p>Letters in shapes: B images, H and W height and width of an image, h and w those of the map of
 * features, N = h w features of an image, F feature size.
 */
@NullMarked
package org.slotwise.encoder;

import org.jspecify.annotations.NullMarked;
