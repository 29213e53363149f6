package org.slotwise.benchmark;

import ai.djl.training.dataset.Dataset;
import io.jhdf.HdfFile;
import io.jhdf.WritableHdfFile;
import io.jhdf.api.DatasetCreationOptions;
import java.awt.image.BufferedImage;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.UnaryOperator;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneDataset;
import org.slotwise.data.SceneSource;
import org.slotwise.data.SceneStreamDataset;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.Hdf5Format;
import org.slotwise.data.file.Hdf5Scenes;
import org.slotwise.data.file.ImageFolder;
import org.slotwise.data.file.SceneFormat;
import org.slotwise.data.file.TfRecordFile;
import org.slotwise.data.file.TfRecordScenes;

/** A form in which scenes lie on disk: how they are written, and read by the library. */
enum DataForm {
    /** Pictures and masks of labels in two folders. */
    PNG {
        @Override
        void write(Path folder, DataSize size) throws IOException {
            Path images = Files.createDirectories(folder.resolve("images"));
            Path masks = Files.createDirectories(folder.resolve("masks"));
            for (int i = 0; i < size.count(); i++) {
                Scene scene = size.scene(i);
                String name = String.format(Locale.ROOT, "%06d.png", i);
                save(scene, BufferedImage.TYPE_INT_RGB, images.resolve(name));
                save(scene, BufferedImage.TYPE_BYTE_GRAY, masks.resolve(name));
            }
        }

        @Override
        Opened open(Path folder, DataSize size) throws IOException {
            return new Opened(
                    ImageFolder.builder()
                            .setFolder(folder.resolve("images"))
                            .optMasks(folder.resolve("masks"))
                            .setSize(size.side(), size.side())
                            .build(),
                    () -> {});
        }
    },
    /** Two files in GZIP, as in DeepMind's data sets a string for each byte. */
    TFRECORD {
        @Override
        void write(Path folder, DataSize size) throws IOException {
            for (int part = 0; part < PARTS; part++) {
                try (OutputStream out =
                        new GZIPOutputStream(Files.newOutputStream(part(folder, part)))) {
                    for (int i = part; i < size.count(); i += PARTS) {
                        byte[] data = TfRecordFile.example(size.scene(i), size.format());
                        out.write(TfRecordFile.record(data, data.length));
                    }
                }
            }
        }

        @Override
        Opened open(Path folder, DataSize size) {
            List<Path> parts = List.of(part(folder, 0), part(folder, 1));
            SceneFormat format = size.format();
            return new Opened(new TfRecordScenes(format, parts).map(size::fitted), () -> {});
        }
    },
    /** Images and a mask for each entity, as the same data sets are commonly converted. */
    HDF5 {
        @Override
        void write(Path folder, DataSize size) throws IOException {
            int h = size.format().height();
            int w = size.format().width();
            byte[][][][] images = new byte[size.count()][h][w][3];
            byte[][][][] masks = new byte[size.count()][size.format().entities()][h][w];
            for (int i = 0; i < size.count(); i++) {
                Scene scene = size.scene(i);
                for (int p = 0; p < h * w; p++) {
                    System.arraycopy(scene.image(), 3 * p, images[i][p / w][p % w], 0, 3);
                    masks[i][scene.mask()[p]][p / w][p % w] = (byte) 255;
                }
            }
            try (WritableHdfFile hdf = HdfFile.write(folder.resolve(PLAIN))) {
                DatasetCreationOptions bytes = DatasetCreationOptions.builder().unsigned().build();
                hdf.putDataset("image", images, bytes);
                hdf.putDataset("mask", masks, bytes);
            }
        }

        @Override
        Opened open(Path folder, DataSize size) throws IOException {
            return hdf5(folder.resolve(PLAIN), size);
        }
    },
    /** The same in chunks of a scene each, deflated; written by h5py. */
    DEFLATED {
        @Override
        void write(Path folder, DataSize size) throws IOException {
            HDF5.write(folder, size);
        }

        @Override
        Opened open(Path folder, DataSize size) throws IOException {
            return hdf5(folder.resolve("deflated.h5"), size);
        }
    };

    static final int PARTS = 2;

    /** As many scenes are drawn from, where a file can be read from its start alone. */
    static final int BUFFER = 512;

    private static final String PLAIN = "plain.h5";

    /**
     * Scenes that can be read.
     *
     * @param file what is to be closed
     */
    record Opened(SceneSource source, Closeable file) implements Closeable {

        /**
         * Batches, in the order of the file or shuffled.
         *
         * @param atOnce how many files are read at the same time, where that is asked
         */
        Dataset dataset(int batch, boolean shuffled, int atOnce) {
            if (source instanceof Scenes scenes) {
                SceneDataset.Builder data = SceneDataset.builder().setScenes(scenes);
                return shuffled
                        ? data.setShuffledSampling(batch, 0, false).build()
                        : data.setSampling(batch, false).build();
            }
            SceneStreamDataset.Builder data =
                    SceneStreamDataset.builder().setSource(source).setBatchSize(batch);
            data.optInterleave(atOnce);
            return shuffled ? data.optShuffle(BUFFER, 0).build() : data.build();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    /** Writes a data set to an empty folder. */
    abstract void write(Path folder, DataSize size) throws IOException;

    /** Opens it. */
    abstract Opened open(Path folder, DataSize size) throws IOException;

    /** One of the files of a TFRecord data set. */
    private static Path part(Path folder, int part) {
        return folder.resolve("part-" + part + ".tfrecords");
    }

    private static Opened hdf5(Path file, DataSize size) throws IOException {
        Hdf5Scenes scenes =
                Hdf5Scenes.builder().setFile(file).setFormat(Hdf5Format.MULTI_OBJECT).build();
        UnaryOperator<Scene> fitted = size::fitted;
        return new Opened(scenes.map(fitted), scenes);
    }

    private static void save(Scene scene, int type, Path file) throws IOException {
        BufferedImage image = new BufferedImage(scene.width(), scene.height(), type);
        for (int p = 0; p < scene.mask().length; p++) {
            int x = p % scene.width();
            int y = p / scene.width();
            if (type == BufferedImage.TYPE_BYTE_GRAY) {
                image.getRaster().setSample(x, y, 0, scene.mask()[p]);
            } else {
                for (int c = 0; c < 3; c++) {
                    image.getRaster().setSample(x, y, c, scene.image()[3 * p + c] & 0xff);
                }
            }
        }
        ImageIO.write(image, "png", file.toFile());
    }

    @Override
    public String toString() {
        return name().toLowerCase(Locale.ROOT);
    }
}
