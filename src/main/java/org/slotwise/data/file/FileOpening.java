package org.slotwise.data.file;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.PictureFit;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.internal.Check;
import org.slotwise.internal.OptionalArtifact;

/**
 * Opens files for {@link SceneFiles}.
 *
 * @param size what scenes are brought to
 * @param ofClevr how pictures of CLEVR are
 */
record FileOpening(PictureScenes size, PictureFit ofClevr) {

    private static final String WHO = "SceneFiles";

    private static final Set<String> MASK_COLUMNS =
            Set.of("mask", "masks", "segmentation", "seg", "annotation", "label");
    private static final Set<String> MASK_ENDINGS =
            Set.of("mask.png", "masks.png", "seg.png", "segmentation.png", "flat.png");

    /** What a file holds; null if that is not known. */
    SceneFiles.@Nullable Found found(Path file) throws IOException {
        SceneFiles.Kind kind = FileKind.of(file).orElse(null);
        return kind == null ? null : found(kind, List.of(file));
    }

    /** Opens files of a kind. */
    SceneFiles.Found found(SceneFiles.Kind kind, List<Path> files) throws IOException {
        return switch (kind) {
            case WEBDATASET -> webDataset(files);
            case PARQUET -> parquet(files);
            case TFRECORD -> tfRecord(files);
            case HDF5 -> hdf5(files);
            case CLEVR -> clevr(files.get(0));
            case PICTURES, CLEVRTEX -> throw new IllegalArgumentException(kind + " is a folder");
        };
    }

    /** A void label is one of masks. */
    void checkVoid(boolean masks) {
        Check.option(masks || size.voidLabel() < 0, WHO + ": a void label, and there are no masks");
    }

    /** In the size that is wanted; the objects stay what the source says. */
    private Scene fitted(Path file, Scene scene) {
        size.small()
                .see(
                        scene.height(),
                        scene.width(),
                        size.height(),
                        size.width(),
                        Place.of(file)::says);
        return size.fit().fitted(scene, size.height(), size.width());
    }

    private SceneFiles.Found webDataset(List<Path> shards) throws IOException {
        Set<String> endings = new TreeSet<>();
        try (TarRecords records = new TarRecords(shards.get(0), ending -> false, 0)) {
            TarRecords.Sample first = records.next();
            if (first != null) {
                endings.addAll(first.others());
            }
        }
        endings.retainAll(MASK_ENDINGS);
        checkVoid(!endings.isEmpty());
        WebDatasetScenes.Builder builder =
                WebDatasetScenes.builder()
                        .setShards(shards)
                        .setSize(size.height(), size.width())
                        .optFit(size.fit())
                        .optMasks(endings.toArray(String[]::new));
        if (size.voidLabel() >= 0) {
            builder.optVoid(size.voidLabel());
        }
        return new SceneFiles.Found(
                SceneFiles.Kind.WEBDATASET, !endings.isEmpty(), builder.build(), null);
    }

    private SceneFiles.Found parquet(List<Path> files) throws IOException {
        OptionalArtifact.DUCKDB.require(WHO, "Parquet files need DuckDB");
        Set<String> images = new TreeSet<>();
        Set<String> masks = new TreeSet<>();
        Map<String, String> types;
        try (ParquetFile first = new ParquetFile(files.get(0))) {
            first.rows();
            types = first.types();
            for (Map.Entry<String, String> column : types.entrySet()) {
                if (first.bytes(column.getKey(), column.getValue()) != null) {
                    boolean mask = MASK_COLUMNS.contains(column.getKey());
                    (mask ? masks : images).add(column.getKey());
                }
            }
        }
        if (images.contains("image")) {
            images.retainAll(Set.of("image"));
        }
        if (images.size() != 1 || masks.size() > 1) {
            throw new SceneFileException(
                    files.get(0),
                    "it is not clear which columns hold pictures and masks, of "
                            + types
                            + "; ParquetScenes takes their names",
                    null);
        }
        checkVoid(!masks.isEmpty());
        ParquetScenes.Builder builder =
                ParquetScenes.builder()
                        .setFiles(files)
                        .setSize(size.height(), size.width())
                        .optFit(size.fit())
                        .optImages(images.iterator().next());
        masks.forEach(builder::optMasks);
        if (size.voidLabel() >= 0) {
            builder.optVoid(size.voidLabel());
        }
        return new SceneFiles.Found(
                SceneFiles.Kind.PARQUET, !masks.isEmpty(), builder.build(), null);
    }

    private SceneFiles.Found tfRecord(List<Path> files) throws IOException {
        OptionalArtifact.PROTOBUF.require(WHO, "TFRecord files need protobuf");
        Check.option(size.voidLabel() < 0, WHO + ": masks in TFRecord files have no void label");
        SceneFormat format = TfRecordFormats.of(files.get(0));
        return new SceneFiles.Found(
                SceneFiles.Kind.TFRECORD,
                true,
                new TfRecordScenes(format, files).map(scene -> fitted(files.get(0), scene)),
                null);
    }

    private SceneFiles.Found hdf5(List<Path> files) throws IOException {
        OptionalArtifact.JHDF.require(WHO, "HDF5 files need jHDF");
        if (files.size() > 1) {
            throw new SceneFileException(
                    files.get(0), "one of several HDF5 files; give the path of one", null);
        }
        Hdf5Format format = Hdf5Formats.of(files.get(0));
        checkVoid(format.masks() != null);
        Hdf5Scenes.Builder builder = Hdf5Scenes.builder().setFile(files.get(0)).setFormat(format);
        if (size.voidLabel() >= 0) {
            builder.optVoid(size.voidLabel());
        }
        Hdf5Scenes scenes = builder.build();
        return new SceneFiles.Found(
                SceneFiles.Kind.HDF5,
                format.masks() != null,
                scenes.map(scene -> fitted(files.get(0), scene)),
                scenes);
    }

    private SceneFiles.Found clevr(Path file) throws IOException {
        checkVoid(false);
        String name = String.valueOf(file.getFileName());
        String part = name.replaceFirst("^CLEVR_", "").replaceFirst("_scenes\\.json$", "");
        Path images = file.toAbsolutePath().resolveSibling("../images").normalize();
        Path folder = images.resolve(part);
        if (!Files.isDirectory(folder)) {
            throw new SceneFileException(
                    file, "the folder of its pictures, " + folder + ", is not there", null);
        }
        return new SceneFiles.Found(
                SceneFiles.Kind.CLEVR,
                false,
                ClevrScenes.builder()
                        .setScenes(file)
                        .setImages(folder)
                        .optSize(size.height(), size.width())
                        .optFit(ofClevr)
                        .build(),
                null);
    }
}
