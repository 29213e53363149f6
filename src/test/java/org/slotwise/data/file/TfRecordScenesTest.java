package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertInstanceOf;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.data.file.TfRecordFile.bytes;
import static org.slotwise.data.file.TfRecordFile.content;
import static org.slotwise.data.file.TfRecordFile.example;
import static org.slotwise.data.file.TfRecordFile.floats;
import static org.slotwise.data.file.TfRecordFile.gzip;
import static org.slotwise.data.file.TfRecordFile.message;
import static org.slotwise.data.file.TfRecordFile.record;
import static org.slotwise.data.file.TfRecordFile.string;
import static org.slotwise.data.file.TfRecordFile.unpackedFloats;
import static org.slotwise.testing.Errors.assertRefused;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.slotwise.data.Crop;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;
import org.slotwise.data.SceneSource;
import org.slotwise.data.file.SceneFormat.MaskOrder;
import org.slotwise.internal.SplitMix;

class TfRecordScenesTest {

    private static final SceneFormat TINY =
            new SceneFormat("tiny", 1, 2, 3, 3, MaskOrder.ENTITY_FIRST);

    @TempDir Path folder;

    private static List<Scene> read(SceneSource source) throws IOException {
        try (Stream<Scene> scenes = source.open()) {
            return scenes.toList();
        }
    }

    private List<Scene> read(byte[] content) throws IOException {
        return read(new TfRecordScenes(TINY, Files.write(folder.resolve("tiny.bin"), content)));
    }

    /** Reads a damaged file; gives what is said about it. */
    private SceneFileException damage(byte[] content) {
        IOException e =
                assertThrows(
                        IOException.class,
                        () -> {
                            try {
                                read(content);
                            } catch (UncheckedIOException wrapped) {
                                assertEquals(wrapped.getCause().getMessage(), wrapped.getMessage());
                                throw wrapped.getCause();
                            }
                        });
        SceneFileException damage = assertInstanceOf(SceneFileException.class, e);
        String file = folder.resolve("tiny.bin").toString();
        assertEquals(file, damage.file());
        String record = damage.record() < 0 ? "" : ", record " + damage.record();
        assertTrue(damage.getMessage().startsWith(file + record + ": "), damage.getMessage());
        return damage;
    }

    private void assertDamage(long record, String what, byte[] content) {
        SceneFileException damage = damage(content);
        assertEquals(record, damage.record(), damage.getMessage());
        assertTrue(damage.getMessage().endsWith(": " + what), damage.getMessage());
    }

    private static List<Scene> tiny(int count) {
        List<Scene> scenes = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            byte[] image = {(byte) i, 2, 3, (byte) 200, 5, 6};
            scenes.add(new Scene(1, 2, image, new byte[] {(byte) (i % 3), 2}, 2));
        }
        return scenes;
    }

    private static byte[] tinyContent(int count) throws IOException {
        List<byte[]> records = new ArrayList<>();
        for (Scene scene : tiny(count)) {
            records.add(example(scene, TINY));
        }
        return content(records);
    }

    static Stream<SceneFormat> formats() {
        return Stream.of(
                SceneFormat.CLEVR_WITH_MASKS,
                SceneFormat.TETROMINOES,
                SceneFormat.MULTI_DSPRITES_BINARIZED,
                SceneFormat.MULTI_DSPRITES_COLORED_ON_GRAYSCALE,
                SceneFormat.MULTI_DSPRITES_COLORED_ON_COLORED,
                new SceneFormat("other", 3, 5, 1, 1, MaskOrder.ENTITY_LAST));
    }

    /** A scene in which everything differs. */
    private static Scene random(SceneFormat format, int seed) {
        SplitMix random = new SplitMix(seed, 0);
        byte[] image = new byte[3 * format.height() * format.width()];
        for (int i = 0; i < image.length; i++) {
            image[i] = format.channels() == 3 || i % 3 == 0 ? (byte) random.next() : image[i - 1];
        }
        byte[] mask = new byte[image.length / 3];
        for (int p = 0; p < mask.length; p++) {
            mask[p] = (byte) random.below(format.entities());
        }
        return new Scene(
                format.height(), format.width(), image, mask, random.below(format.entities()));
    }

    @ParameterizedTest
    @MethodSource("formats")
    void readsWhatWasWritten(SceneFormat format) throws IOException {
        List<Scene> scenes = List.of(random(format, 1), random(format, 2));
        Path file = TfRecordFile.write(folder.resolve("scenes"), scenes, format);
        assertEquals(scenes, read(new TfRecordScenes(format, file)));
    }

    @Test
    void readsWithoutGzipToo() throws IOException {
        assertEquals(tiny(4), read(tinyContent(4)));
        assertEquals(tiny(4), read(gzip(tinyContent(4))));
        assertEquals(List.of(), read(gzip(new byte[0])));
        // A length whose bytes look like GZIP's: 1f 8b 08 00.
        byte[] long1 = new byte[0x088b1f];
        byte[] content = record(long1, long1.length);
        assertEquals(0x1f, content[0]);
        SceneFileException e = damage(content);
        assertTrue(e.getMessage().contains("not a scene of tiny"), e.getMessage());
    }

    /** Written by TensorBoard's RecordWriter, whose checksums are not those of these tests. */
    @Test
    void readsRecordsOfAnotherWriter() throws IOException {
        String hex =
                "0300000000000000b099490e6162636e57f121000000000000000029039807d8ea82a2"
                        + "0500000000000000eab2043e000102030423338f04";
        Path file = Files.write(folder.resolve("a"), HexFormat.of().parseHex(hex));
        try (TfRecordReader reader = new TfRecordReader(file, 1 << 24)) {
            assertArrayEquals("abc".getBytes(StandardCharsets.US_ASCII), reader.next(new byte[0]));
            assertArrayEquals(new byte[0], reader.next(new byte[0]));
            assertArrayEquals(new byte[] {0, 1, 2, 3, 4}, reader.next(new byte[0]));
            assertNull(reader.next(new byte[0]));
        }
    }

    @Test
    void readsSeveralFilesInTheirOrder() throws IOException {
        Path a = TfRecordFile.write(folder.resolve("a"), tiny(5).subList(0, 2), TINY);
        Path none = Files.write(folder.resolve("none"), gzip(new byte[0]));
        Path b = TfRecordFile.write(folder.resolve("b"), tiny(5).subList(2, 5), TINY);
        assertEquals(tiny(5), read(new TfRecordScenes(TINY, List.of(a, none, b, none))));
        assertEquals(List.of(), read(new TfRecordScenes(TINY, List.of(none, none))));
        Files.write(b, new byte[] {1, 2, 3});
        SceneSource damaged = new TfRecordScenes(TINY, List.of(a, b));
        try (Stream<Scene> scenes = damaged.open()) {
            Iterator<Scene> iterator = scenes.iterator();
            assertEquals(tiny(2), List.of(iterator.next(), iterator.next()));
            UncheckedIOException e = assertThrows(UncheckedIOException.class, iterator::hasNext);
            assertEquals(b.toString(), ((SceneFileException) e.getCause()).file());
            assertFalse(iterator.hasNext(), "it ends there");
            assertThrows(NoSuchElementException.class, iterator::next);
        }
        Files.delete(a);
        assertThrows(NoSuchFileException.class, damaged::open);
        assertRefused(
                "TfRecordScenes: there must be at least one file",
                () -> new TfRecordScenes(TINY, List.of()));
    }

    @Test
    void canBeFilteredAndChanged() throws IOException {
        Path file = TfRecordFile.write(folder.resolve("a"), tiny(6), TINY);
        SceneSource source = new TfRecordScenes(TINY, file);
        List<Scene> kept =
                read(
                        source.filter(scene -> scene.mask()[0] == 1)
                                .map(scene -> scene.crop(new Crop(0, 0, 1, 1))));
        assertEquals(2, kept.size());
        assertArrayEquals(new byte[] {4, 2, 3}, kept.get(1).image());
        assertEquals(6, read(source).size(), "each call reads anew");
    }

    @Test
    void countsVisibleObjectsWithoutTheBackground() throws IOException {
        byte[] image = bytes(new byte[6]);
        byte[] mask = bytes(new byte[6]);
        assertEquals(1, count("image", image, "mask", mask, "visibility", floats(1, 0, 1)));
        assertEquals(1, count("image", image, "mask", mask, "visibility", floats(0, 1, 0)));
        assertEquals(2, count("visibility", unpackedFloats(1, 1, 1), "mask", mask, "image", image));
        // Without visibility it is the labels that occur; the first entity of a pixel counts.
        byte[] both = bytes(new byte[] {0, 0, (byte) 255, 0, (byte) 255, 1});
        assertEquals(2, count("image", image, "mask", both));
        Scene scene = read(content(List.of(example("image", image, "mask", both)))).get(0);
        assertArrayEquals(new byte[] {1, 2}, scene.mask());
    }

    private int count(Object... features) throws IOException {
        return read(content(List.of(example(features)))).get(0).objectCount();
    }

    @Test
    void understandsProtobufInAllItsForms() throws IOException {
        byte[] image = string(new byte[] {9, 8, 7, 6, 5, 4}); // one string instead of six
        byte[] mask = bytes(new byte[] {1, 0, 0, 1, 0, 0});
        byte[] valueFirst =
                message(
                        out -> {
                            out.writeByteArray(2, image);
                            out.writeString(1, "image");
                        });
        byte[] keyFirst =
                message(
                        out -> {
                            out.writeString(1, "mask");
                            out.writeInt64(9, 5); // a field of a later version
                            out.writeByteArray(2, mask);
                        });
        byte[] record =
                message(
                        out -> {
                            out.writeFixed64(7, 3);
                            for (byte[] entry : List.of(valueFirst, keyFirst)) {
                                // Features in two pieces: protobuf merges them.
                                out.writeByteArray(
                                        1, message(inner -> inner.writeByteArray(1, entry)));
                            }
                        });
        Scene scene = read(content(List.of(record))).get(0);
        assertArrayEquals(new byte[] {9, 8, 7, 6, 5, 4}, scene.image());
        assertArrayEquals(new byte[] {0, 1}, scene.mask());
    }

    @Test
    void saysWhichFeatureIsWrong() throws IOException {
        byte[] six = bytes(new byte[6]);
        String tiny = "not a scene of tiny: ";
        assertWrong(tiny + "there is no feature 'mask', only [image]", "image", six);
        assertWrong(tiny + "there is no feature 'image', only []");
        assertWrong(
                tiny + "feature 'image' must have 6 bytes, got 5",
                "image",
                bytes(new byte[5]),
                "mask",
                six);
        assertWrong(
                tiny + "feature 'image' must have 6 bytes, got 7",
                "image",
                string(new byte[7]),
                "mask",
                six);
        assertWrong(
                tiny + "feature 'mask' must have 6 bytes, got 8",
                "image",
                six,
                "mask",
                bytes(new byte[8]));
        assertWrong(
                tiny + "feature 'mask' must have 6 bytes, got 0", "image", six, "mask", string());
        assertWrong(
                tiny + "feature 'image' must be of kind bytes, got float",
                "image",
                floats(1, 2, 3, 4, 5, 6),
                "mask",
                six);
        assertWrong(
                tiny + "feature 'image' must be of kind bytes, got empty",
                "image",
                new byte[0],
                "mask",
                six);
        byte[] integers = message(out -> out.writeByteArray(3, new byte[] {8, 1}));
        assertWrong(
                tiny + "feature 'visibility' must be of kind float, got int64",
                "image",
                six,
                "mask",
                six,
                "visibility",
                integers);
        assertWrong(
                tiny + "feature 'visibility' must have 3 numbers, got 2",
                "image",
                six,
                "mask",
                six,
                "visibility",
                floats(1, 2));
        assertWrong(
                tiny + "feature 'visibility' must have 3 numbers, got 4",
                "image",
                six,
                "mask",
                six,
                "visibility",
                unpackedFloats(1, 2, 3, 4));
    }

    private void assertWrong(String what, Object... features) throws IOException {
        assertDamage(1, what, content(List.of(example(tiny(1).get(0), TINY), example(features))));
    }

    /** Records that fit their checksums and are no protobuf. */
    @Test
    void saysWhichRecordIsNoExample() throws IOException {
        byte[] good = example(tiny(1).get(0), TINY);
        for (int length = 0; length < good.length; length++) {
            byte[] cut = Arrays.copyOf(good, length);
            SceneFileException e = damage(content(List.of(good, good, cut)));
            assertEquals(2, e.record());
        }
        SplitMix random = new SplitMix(3, 0);
        for (int i = 0; i < 200; i++) {
            byte[] noise = new byte[random.below(60)];
            for (int b = 0; b < noise.length; b++) {
                noise[b] = (byte) random.next();
            }
            assertEquals(1, damage(gzip(content(List.of(good, noise)))).record());
        }
    }

    @Test
    void everyChangedByteIsFound() throws IOException {
        byte[] content = tinyContent(3);
        int each = content.length / 3;
        for (int at = 0; at < content.length; at++) {
            byte[] changed = content.clone();
            changed[at] ^= (byte) (1 << at % 8);
            SceneFileException e = damage(changed);
            assertEquals(at / each, e.record(), e.getMessage());
        }
        byte[] changed = content.clone();
        changed[each + 3]++;
        assertDamage(1, "the checksum of the length does not fit", changed);
        changed = content.clone();
        changed[each + 20]++;
        assertDamage(1, "the checksum of the data does not fit", changed);
        changed = content.clone();
        changed[2 * each - 1]++;
        assertDamage(1, "the checksum of the data does not fit", changed);
    }

    @Test
    void everyCutIsFound() throws IOException {
        byte[] content = tinyContent(3);
        int each = content.length / 3;
        for (int length = 1; length < content.length; length++) {
            byte[] cut = Arrays.copyOf(content, length);
            if (length % each == 0) {
                assertEquals(length / each, read(cut).size());
            } else {
                assertEquals(length / each, damage(cut).record());
            }
        }
        assertDamage(
                2,
                "the file is cut short in its length, 5 of 12 bytes",
                Arrays.copyOf(content, 2 * each + 5));
        assertDamage(
                2,
                "the file is cut short in its data, 1 of " + (each - 16) + " bytes",
                Arrays.copyOf(content, 2 * each + 13));
        assertDamage(
                2,
                "the file is cut short in its checksum, 3 of 4 bytes",
                Arrays.copyOf(content, 3 * each - 1));
        assertDamage(-1, "the file is empty", new byte[0]);
    }

    @Test
    void everyChangeOfTheGzipIsFoundOrHarmless() throws IOException {
        byte[] packed = gzip(tinyContent(3));
        int found = 0;
        for (int at = 0; at < packed.length; at++) {
            byte[] changed = packed.clone();
            changed[at] ^= (byte) (1 << at % 8);
            try {
                // The time stamp and the like.
                assertEquals(tiny(3), read(changed), "byte " + at);
            } catch (IOException | UncheckedIOException e) {
                assertTrue(damage(changed).record() <= 3);
                found++;
            }
        }
        assertTrue(found >= packed.length - 8, found + " of " + packed.length);
        for (int length = 1; length < packed.length; length++) {
            damage(Arrays.copyOf(packed, length));
        }
    }

    @Test
    void saysWhatIsWrongWithTheGzip() throws IOException {
        // Poorly packed, so that a cut has a place among the records.
        SplitMix random = new SplitMix(1, 1);
        List<Scene> scenes = new ArrayList<>();
        SceneFormat format = new SceneFormat("noise", 40, 40, 3, 2, MaskOrder.ENTITY_FIRST);
        for (int i = 0; i < 4; i++) {
            scenes.add(random(format, (int) random.next()));
        }
        Path file = TfRecordFile.write(folder.resolve("noise"), scenes, format);
        byte[] packed = Files.readAllBytes(file);
        Files.write(file, Arrays.copyOf(packed, packed.length * 5 / 8));
        UncheckedIOException e =
                assertThrows(
                        UncheckedIOException.class, () -> read(new TfRecordScenes(format, file)));
        assertEquals(
                file + ", record 2: the file is cut short (GZIP ends in its data)", e.getMessage());
        byte[] trailer = packed.clone();
        trailer[packed.length - 6]++;
        Files.write(file, trailer);
        e = assertThrows(UncheckedIOException.class, () -> read(new TfRecordScenes(format, file)));
        assertEquals(
                file + ", record 4: damaged GZIP in its length: Corrupt GZIP trailer",
                e.getMessage());
        assertDamage(
                -1,
                "the file is cut short in its GZIP header",
                new byte[] {0x1f, (byte) 0x8b, 8, 0, 0});
        assertDamage(
                -1,
                "damaged GZIP header: Unsupported compression method",
                new byte[] {0x1f, (byte) 0x8b, 7, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        assertDamage(
                0,
                "neither GZIP nor the start of a TFRecord file, or damaged at its start",
                "This is no TFRecord file.".getBytes(StandardCharsets.UTF_8));
    }

    private static final String MOST =
            "a record of this format has at most " + TINY.mostBytes() + " bytes, not a length of ";

    /** Many empty parts of GZIP make Java's reader go deeper with each. */
    @Test
    void manyEmptyPartsOfGzipAreNoStackOverflow() throws IOException {
        byte[] empty = gzip(new byte[0]);
        byte[] many = new byte[100_000 * empty.length];
        for (int i = 0; i < many.length; i++) {
            many[i] = empty[i % empty.length];
        }
        Path file = Files.write(folder.resolve("many"), many);
        try (Stream<Scene> scenes = new TfRecordScenes(TINY, file).open()) {
            assertEquals(0, scenes.count());
        } catch (UncheckedIOException e) {
            assertTrue(e.getMessage().contains("too many empty parts"), e.getMessage());
        }
    }

    /** A wrong length with a fitting checksum must not ask for all the memory there is. */
    @Test
    void impossibleLengthsAreFound() {
        byte[] data = new byte[10];
        assertDamage(0, MOST + "18446744073709551615 bytes", record(data, -1));
        assertDamage(0, MOST + "4294967296 bytes", record(data, 1L << 32));
        assertDamage(0, MOST + "2000000000 bytes", record(data, 2_000_000_000));
        assertDamage(
                0,
                "the file is cut short in its data, 14 of 1000000 bytes",
                record(data, 1_000_000));
    }

    @Test
    void leavingEarlyClosesTheFile() throws IOException {
        Path file = TfRecordFile.write(folder.resolve("a"), tiny(6), TINY);
        Stream<Scene> scenes = new TfRecordScenes(TINY, file).open();
        Iterator<Scene> iterator = scenes.iterator();
        iterator.next();
        scenes.close();
        assertFalse(iterator.hasNext());
    }

    @Test
    void formatsAreChecked() {
        MaskOrder first = MaskOrder.ENTITY_FIRST;
        assertRefused(
                "SceneFormat: height and width must be at least 1, got 0 and 2",
                () -> new SceneFormat("f", 0, 2, 3, 4, first));
        assertRefused(
                "SceneFormat: channels must be 1 or 3, got 2",
                () -> new SceneFormat("f", 2, 2, 2, 4, first));
        assertRefused(
                "SceneFormat: entities must be 1 to 256, got 0",
                () -> new SceneFormat("f", 2, 2, 3, 0, first));
        assertRefused(
                "SceneFormat: entities must be 1 to 256, got 257",
                () -> new SceneFormat("f", 2, 2, 3, 257, first));
        assertRefused(
                "SceneFormat: a record would have 9000000000 bytes, too many",
                () -> new SceneFormat("f", 30000, 30000, 3, 10, first));
    }
}
