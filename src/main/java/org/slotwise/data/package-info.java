/**
 * Pictures of several objects with masks that say which pixel belongs to which: generated, from
 * folders, and from the files of the Multi-Object Datasets.
 *
 * <p>A {@link org.slotwise.data.Scene} is a picture and its mask. {@link org.slotwise.data.Scenes}
 * can be had in any order and become batches through {@link org.slotwise.data.SceneDataset}: {@link
 * org.slotwise.data.Tetrominoes} and {@link org.slotwise.data.MultiDSprites} are generated, {@link
 * org.slotwise.data.ImageFolder} and {@link org.slotwise.data.Hdf5Scenes} read from disk. A {@link
 * org.slotwise.data.SceneSource} is read from its start, as {@link
 * org.slotwise.data.TfRecordScenes} is, and becomes batches through {@link
 * org.slotwise.data.SceneStreamDataset}.
 *
 * <p>Two of these need a library that is an optional dependency of this one: {@code TfRecordScenes}
 * needs {@code com.google.protobuf:protobuf-java}, {@code Hdf5Scenes} needs {@code io.jhdf:jhdf}.
 * All else works without them. {@code ImageFolder} needs the module {@code java.desktop}.
 */
@NullMarked
package org.slotwise.data;

import org.jspecify.annotations.NullMarked;
