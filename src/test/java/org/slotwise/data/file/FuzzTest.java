package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assertions.fail;

import ai.djl.ndarray.NDArray;
import ai.djl.ndarray.NDManager;
import ai.djl.ndarray.types.Shape;
import java.awt.image.BufferedImage;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.function.UnaryOperator;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import java.util.zip.GZIPOutputStream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.extension.ExtendWith;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.data.Scene;
import org.slotwise.testing.OnDevice;

/**
 * Readers on files that were changed at random, with fixed seeds: a result, or an error that names
 * the file; never an error of the virtual machine, another exception or a hang.
 */
@ExtendWith(OnDevice.class)
class FuzzTest {

    static {
        System.setProperty("org.slf4j.simpleLogger.log.io.jhdf", "off");
    }

    private static final Duration PATIENCE = Duration.ofSeconds(10);
    private static final long MOST_PIXELS = 1 << 20;

    @TempDir Path folder;

    /** What reads a file. */
    private interface Reading {
        Object read(Path file) throws IOException;
    }

    private static byte[] resource(String name) throws IOException {
        try (InputStream in = FuzzTest.class.getResourceAsStream(name)) {
            return in.readAllBytes();
        }
    }

    /** Some bytes changed, left out, doubled or cut off. */
    private static byte[] changed(byte[] whole, Random random) {
        byte[] bytes = whole.clone();
        int changes = 1 + random.nextInt(3);
        for (int i = 0; i < changes; i++) {
            int at = random.nextInt(bytes.length);
            int left = bytes.length - at;
            switch (random.nextInt(8)) {
                case 0 -> bytes[at] = (byte) random.nextInt(256);
                case 1 -> bytes[at] ^= (byte) (1 << random.nextInt(8));
                case 2 -> bytes[at] = (byte) (random.nextBoolean() ? 0xff : 0x7f);
                case 3 -> Arrays.fill(bytes, at, at + Math.min(left, 4), (byte) 0xff);
                case 4 -> Arrays.fill(bytes, at, at + Math.min(left, 8), (byte) 0);
                case 5 -> bytes = Arrays.copyOf(bytes, Math.max(1, at));
                case 6 -> {
                    int from = random.nextInt(bytes.length);
                    int length = Math.min(random.nextInt(16), Math.min(left, bytes.length - from));
                    System.arraycopy(bytes, from, bytes, at, length);
                }
                default -> {
                    byte[] longer = Arrays.copyOf(bytes, bytes.length + 4);
                    System.arraycopy(bytes, at, longer, at + 4, left);
                    bytes = longer;
                }
            }
        }
        return bytes;
    }

    private void fuzz(byte[] whole, int times, UnaryOperator<byte[]> repaired, Reading reading)
            throws IOException {
        Path file = folder.resolve("fuzzed");
        Files.write(file, whole);
        reading.read(file); // what is whole is read
        for (int seed = 0; seed < times; seed++) {
            Random random = new Random(seed);
            byte[] bytes = changed(whole, random);
            Files.write(file, random.nextBoolean() ? repaired.apply(bytes) : bytes);
            String what = "seed " + seed;
            assertTimeoutPreemptively(PATIENCE, () -> outcome(what, file, reading), what);
        }
    }

    private static void outcome(String what, Path file, Reading reading) {
        try {
            reading.read(file);
        } catch (IOException | UncheckedIOException | IllegalArgumentException e) {
            String message = String.valueOf(e.getMessage());
            assertTrue(message.contains(file.getFileName().toString()), what + ": " + e);
        } catch (RuntimeException | Error e) {
            fail(what, e);
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "cmyk_cols.jpg",
                "nojfif_ids012.jpg",
                "gif_offset.gif",
                "a.webp",
                "png-mask-valid-checker.png",
                "voc-mask.png"
            })
    void pictures(String name) throws IOException {
        byte[] whole = resource("/pictures/" + name);
        UnaryOperator<byte[]> repaired =
                name.endsWith(".png") ? FuzzTest::withChecksums : bytes -> bytes;
        fuzz(whole, 250, repaired, file -> ImageFile.picture(file, MOST_PIXELS));
        fuzz(
                whole,
                60,
                repaired,
                file -> {
                    try {
                        return ImageFile.mask(file, MOST_PIXELS, false);
                    } catch (IOException e) {
                        // Photographs have too many colours for a mask.
                        if (e.getMessage().endsWith("at most 255 colours and black")) {
                            return "";
                        }
                        throw e;
                    }
                });
    }

    @Test
    void bitmaps() throws IOException {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        BufferedImage image = new BufferedImage(9, 7, BufferedImage.TYPE_BYTE_INDEXED);
        ImageIO.write(image, "bmp", out);
        fuzz(out.toByteArray(), 400, b -> b, file -> ImageFile.picture(file, MOST_PIXELS));
    }

    /** So that more than the check of checksums is tried. */
    private static byte[] withChecksums(byte[] png) {
        byte[] bytes = png.clone();
        ByteBuffer numbers = ByteBuffer.wrap(bytes);
        for (int at = 8; at + 12 <= bytes.length; ) {
            int length = numbers.getInt(at);
            if (length < 0 || length > bytes.length - at - 12) {
                break;
            }
            CRC32 crc = new CRC32();
            crc.update(bytes, at + 4, 4 + length);
            numbers.putInt(at + 8 + length, (int) crc.getValue());
            at += 12 + length;
        }
        return bytes;
    }

    @ParameterizedTest
    @CsvSource({
        "h5py.h5, train/imgs, train/masks",
        "h5py.h5, odd, label",
        "h5py_v114.h5, image, mask",
        "ok.h5, image, mask",
        "softlink-loop.h5, image, mask",
        "int64.h5, image, mask"
    })
    void hdf5(String name, String images, String masks) throws IOException {
        Reading reading =
                file -> {
                    try (Hdf5Scenes scenes =
                            Hdf5Scenes.builder()
                                    .setFile(file)
                                    .setImages(images)
                                    .optMasks(masks)
                                    .build()) {
                        for (int i = 0; i < Math.min(3, scenes.size()); i++) {
                            scenes.get(i);
                        }
                        return scenes;
                    }
                };
        Reading patient =
                file -> {
                    try {
                        return reading.read(file);
                    } catch (IOException e) {
                        // Some of the files have no such arrays to begin with.
                        return outcomeOf(e, file);
                    }
                };
        fuzz(resource("/scenes/" + name), 250, bytes -> bytes, patient);
    }

    private static Object outcomeOf(IOException e, Path file) {
        assertTrue(e.getMessage().contains(file.getFileName().toString()), e.toString());
        return e;
    }

    @Test
    void clevr() throws IOException {
        String json =
                "{\"info\": {\"split\": \"val\"}, \"scenes\": [{\"image_filename\": \"a.png\","
                        + " \"objects\": [{\"color\": \"gray\", \"size\": \"large\", \"shape\":"
                        + " \"cube\", \"material\": \"metal\", \"3d_coords\": [-1.5, 2.25, 0.7]}],"
                        + " \"relationships\": {\"right\": [[1], []]}}]}";
        Files.write(folder.resolve("a.png"), resource("/pictures/clevrtex.png"));
        fuzz(
                json.getBytes(StandardCharsets.UTF_8),
                700,
                bytes -> bytes,
                file -> {
                    ClevrScenes scenes =
                            ClevrScenes.builder().setScenes(file).setImages(folder).build();
                    return scenes.size() > 0 ? scenes.get(0) : scenes;
                });
    }

    @Test
    void tfRecords() throws IOException {
        SceneFormat tiny = new SceneFormat("tiny", 2, 3, 3, 2, SceneFormat.MaskOrder.ENTITY_FIRST);
        List<Scene> some =
                List.of(
                        new Scene(2, 3, new byte[18], new byte[6], 1),
                        new Scene(2, 3, new byte[18], new byte[] {0, 1, 1, 0, 0, 1}, 1));
        Reading reading =
                file -> {
                    try (Stream<Scene> scenes = new TfRecordScenes(tiny, file).open()) {
                        return scenes.toList();
                    }
                };
        byte[] message = TfRecordFile.example(some.get(1), tiny);
        byte[] whole =
                TfRecordFile.content(List.of(TfRecordFile.example(some.get(0), tiny), message));
        fuzz(whole, 200, FuzzTest::gzip, reading);
        fuzz(gzip(whole), 200, bytes -> bytes, reading);
        // Messages in frames whose checksums fit.
        Path file = folder.resolve("fuzzed");
        for (int seed = 0; seed < 700; seed++) {
            byte[] bytes = changed(message, new Random(seed));
            Files.write(file, TfRecordFile.record(bytes, bytes.length));
            String what = "message " + seed;
            assertTimeoutPreemptively(PATIENCE, () -> outcome(what, file, reading), what);
        }
    }

    @Test
    void tarShards() throws IOException {
        byte[] whole =
                TarFile.of(
                        "0.png",
                        Pictures.png(3, 4, 1),
                        "0.mask.png",
                        Pictures.mask(3, 4, 0, 1),
                        "1.jpg",
                        Pictures.jpeg(3, 4, 2),
                        "1.mask.png",
                        Pictures.mask(3, 4, 0, 2));
        Reading reading =
                file ->
                        Pictures.read(
                                WebDatasetScenes.builder()
                                        .setShards(List.of(file))
                                        .setSize(3, 4)
                                        .optMasks("mask.png")
                                        .optMaxPixels(MOST_PIXELS)
                                        .build());
        fuzz(whole, 500, FuzzTest::gzip, reading);
        fuzz(gzip(whole), 200, bytes -> bytes, reading);
    }

    /** DuckDB is native code: what it does with damaged files must not end the process. */
    @Test
    void parquet() throws Exception {
        Path made = folder.resolve("whole.parquet");
        ParquetScenesTest.write(
                made,
                "p AS image, {'bytes': m, 'path': 'a'} AS mask",
                Pictures.png(3, 4, 1),
                Pictures.mask(3, 4, 0, 1),
                Pictures.jpeg(3, 4, 2),
                Pictures.mask(3, 4, 0, 2));
        fuzz(
                Files.readAllBytes(made),
                200,
                bytes -> bytes,
                file ->
                        Pictures.read(
                                ParquetScenes.builder()
                                        .setFiles(List.of(file))
                                        .setSize(3, 4)
                                        .optMasks("mask")
                                        .optMaxPixels(MOST_PIXELS)
                                        .build()));
    }

    private static byte[] gzip(byte[] bytes) {
        try {
            ByteArrayOutputStream out = new ByteArrayOutputStream();
            try (GZIPOutputStream packed = new GZIPOutputStream(out)) {
                packed.write(bytes);
            }
            return out.toByteArray();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    @Test
    @Timeout(60)
    void featureCaches(NDManager manager) throws IOException {
        FeatureOrigin origin = new FeatureOrigin("fuzz", List.of("a", "b", "c"));
        FeatureCache.Extraction extraction =
                (own, from, to) -> {
                    NDArray ones = own.ones(new Shape(to - from, 3, 2));
                    return ones;
                };
        FeatureCache.open(folder, origin, manager, extraction);
        Path file = FeatureCache.file(folder, origin);
        byte[] whole = Files.readAllBytes(file);
        for (int seed = 0; seed < 400; seed++) {
            Files.write(file, changed(whole, new Random(seed)));
            outcome(
                    "seed " + seed,
                    file,
                    path -> {
                        try (NDManager own = manager.newSubManager()) {
                            FeatureCache cache = FeatureCache.open(folder, origin, own, extraction);
                            NDArray read = cache.read(own, 0, 1, 2);
                            assertTrue(read.eq(1).all().getBoolean(), "what is read is right");
                            return "";
                        }
                    });
        }
    }
}
