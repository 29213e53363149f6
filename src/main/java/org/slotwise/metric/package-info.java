/**
 * How well a segmentation agrees with the true one: scores of whole batches, computed where the
 * arrays are.
 *
 * <p>Letters in shapes: B images, N pixels of an image, T true groups, K predicted groups.
 */
@NullMarked
package org.slotwise.metric;

import org.jspecify.annotations.NullMarked;
