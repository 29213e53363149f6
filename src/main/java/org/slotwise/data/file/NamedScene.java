package org.slotwise.data.file;

import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scene;

/**
 * A scene, and what its file calls its picture.
 *
 * @param scene the scene
 * @param name the name of the picture as it is stored, folders and ending included, which may be
 *     anything: "a/0001.jpg"; null where there is none, as in TFRecord and HDF5 files
 */
public record NamedScene(Scene scene, @Nullable String name) {}
