/**
 * Conditioning: what the slots start from, (B, K, D) for a batch of B images.
 *
 * <p>Letters in shapes: B images, K slots, D slot (object) size.
 */
@NullMarked
package org.slotwise.conditioning;

import org.jspecify.annotations.NullMarked;
