/**
 * Scenes and features that are read from files, as others published them: folders of pictures,
 * CLEVR, ClevrTex, TFRecord, HDF5, tar shards, Parquet, and {@code SceneFiles} for any of them; and
 * the cache of features, which is written as well.
 *
 * <p>Three of these need a library that is an optional dependency of this one: {@code
 * TfRecordScenes} needs {@code com.google.protobuf:protobuf-java}, {@code Hdf5Scenes} needs {@code
 * io.jhdf:jhdf}, {@code ParquetScenes} needs {@code org.duckdb:duckdb_jdbc}. All else works without
 * them. {@code ImageFolder} needs the module {@code java.desktop}.
 */
@NullMarked
package org.slotwise.data.file;

import org.jspecify.annotations.NullMarked;
