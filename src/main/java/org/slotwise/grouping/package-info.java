/**
 * Perceptual grouping: blocks that group the features of an image into slots, one for each object.
 *
 * <p>Letters in shapes: B images, N features of an image, F feature size, K slots, D slot (object)
 * size, C key and value size, H heads, T frames.
 */
@NullMarked
package org.slotwise.grouping;

import org.jspecify.annotations.NullMarked;
