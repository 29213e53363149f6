/**
 * Pictures of several objects with masks that say which pixel belongs to which, as DJL data sets.
 *
 * <p>A {@link org.slotwise.data.Scene} is a picture and its mask. {@link org.slotwise.data.Scenes}
 * can be had in any order and become batches through {@link org.slotwise.data.SceneDataset}. A
 * {@link org.slotwise.data.SceneSource} is read from its start, and becomes batches through {@link
 * org.slotwise.data.SceneStreamDataset}. What makes scenes lies in {@code
 * org.slotwise.data.generated}, what reads them in {@code org.slotwise.data.file}.
 */
@NullMarked
package org.slotwise.data;

import org.jspecify.annotations.NullMarked;
