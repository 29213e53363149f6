package org.slotwise.data.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.slotwise.testing.Errors.assertRefused;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.SceneFileException;

class WebDatasetScenesTest {

    private static final byte[] A = Pictures.png(3, 4, 1);
    private static final byte[] B = Pictures.jpeg(3, 4, 2);
    private static final byte[] C = Pictures.png(3, 4, 3);
    private static final byte[] MASK_A = Pictures.mask(3, 4, 0, 1, 2);
    private static final byte[] MASK_B = Pictures.mask(3, 4, 0, 0, 3, 255);

    @TempDir Path folder;

    private Path shard(byte[] content) throws IOException {
        return Files.write(folder.resolve("shard.tar"), content);
    }

    private static WebDatasetScenes.Builder of(Path... shards) {
        return WebDatasetScenes.builder().setShards(List.of(shards)).setSize(3, 4);
    }

    private List<Scene> read(Object... namesAndContents) throws IOException {
        return Pictures.read(of(shard(TarFile.of(namesAndContents))).build());
    }

    private List<Scene> readMasks(Object... namesAndContents) throws IOException {
        WebDatasetScenes.Builder shard = of(shard(TarFile.of(namesAndContents)));
        return Pictures.read(shard.optMasks("mask.png", "SEG.png").build());
    }

    private interface Reading {
        Object read() throws IOException;
    }

    /** What is said of the shard, which is named first. */
    private String fault(Reading reading) {
        SceneFileException e = assertThrows(SceneFileException.class, reading::read);
        String start = folder.resolve("shard.tar").toString();
        assertTrue(e.getMessage().startsWith(start), e.getMessage());
        assertEquals(start, e.file());
        String record = e.record() < 0 ? "" : ", record " + e.record();
        assertTrue(e.getMessage().startsWith(start + record + ": "), e.getMessage());
        return e.getMessage().substring(start.length() + 2);
    }

    @Test
    void readsRecordsInTheirOrder() throws IOException {
        List<Scene> expected =
                List.of(Pictures.scene(A, null), Pictures.scene(B, null), Pictures.scene(C, null));
        byte[] tar =
                TarFile.of(
                        "b/0001.png",
                        A,
                        "b/0001.json",
                        "{}",
                        "b/",
                        "",
                        "a/2.x.JPG",
                        B,
                        "a/2.cls",
                        "7",
                        "README",
                        "no record",
                        "._a.png",
                        "AppleDouble",
                        "3.PNG",
                        C);
        assertFalse(Arrays.equals(A, C));
        // "2.x.JPG" has the ending x.jpg, which is none of a picture.
        WebDatasetScenes named = of(shard(tar)).optImages("png", "X.jpg").optMaxPixels(12).build();
        assertEquals(expected, Pictures.read(named));
        assertEquals(expected, Pictures.read(named), "each time anew");
        Path packed = Files.write(folder.resolve("shard.tar.gz"), TfRecordFile.gzip(tar));
        assertEquals(expected, Pictures.read(of(packed).optImages("png", "x.jpg").build()));
        assertEquals(
                "record 1: a/2: no picture among its files, [cls, x.jpg]",
                fault(() -> Pictures.read(of(folder.resolve("shard.tar")).build())));
    }

    @Test
    void shardsFollowEachOther() throws IOException {
        Path first = Files.write(folder.resolve("s-0.tar"), TarFile.of("0.png", A));
        Path second = Files.write(folder.resolve("s-1.tar"), TarFile.of("0.png", C));
        assertEquals(
                List.of(Pictures.scene(A, null), Pictures.scene(C, null)),
                Pictures.read(of(first, second).build()),
                "keys are those of a shard");
        Files.delete(second);
        try (Stream<Scene> scenes = of(first, second).build().open()) {
            assertThrows(java.io.UncheckedIOException.class, scenes::toList);
        }
        assertThrows(NoSuchFileException.class, () -> of(second).build().open());
    }

    @Test
    void masks() throws IOException {
        List<Scene> scenes =
                readMasks("0.mask.png", MASK_A, "0.png", A, "1.jpg", B, "1.seg.png", MASK_B);
        assertEquals(List.of(Pictures.scene(A, MASK_A), Pictures.scene(B, MASK_B)), scenes);
        assertEquals(2, scenes.get(0).objectCount());
        List<Scene> nothing =
                Pictures.read(
                        of(shard(TarFile.of("1.jpg", B, "1.mask.png", MASK_B)))
                                .optMasks("mask.png")
                                .optVoid(255)
                                .build());
        assertEquals(1, nothing.get(0).objectCount());
        assertEquals(OptionalInt.of(255), nothing.get(0).voidLabel());
    }

    @Test
    void wrongRecords() {
        assertEquals(
                "record 1: 1: no mask among its files, [cls, jpg]",
                fault(() -> readMasks("0.png", A, "0.mask.png", MASK_A, "1.jpg", B, "1.cls", "7")));
        assertEquals(
                "record 0: 0: several could be the mask, [mask.png, seg.png]",
                fault(() -> readMasks("0.png", A, "0.mask.png", MASK_A, "0.seg.png", MASK_A)));
        assertEquals(
                "record 0: 0: several could be the picture, [jpg, png]",
                fault(() -> read("0.png", A, "0.jpg", B)));
        assertEquals(
                "record 0: 0.png: this file is there twice",
                fault(() -> read("0.png", A, "0.png", C)));
        assertEquals(
                "record 2: 0: there is another record of this name in the shard",
                fault(() -> read("0.png", A, "1.png", C, "0.png", A)));
        assertEquals(
                "record 2: 0: there is another record of this name in the shard",
                fault(
                        () ->
                                readMasks(
                                        "0.png",
                                        A,
                                        "0.mask.png",
                                        MASK_A,
                                        "1.png",
                                        A,
                                        "1.seg.png",
                                        MASK_A,
                                        "0.json",
                                        "{}")));
        assertEquals(
                "record 0: 0.mask.png: the mask has 4 x 3 pixels and its image 3 x 4",
                fault(() -> readMasks("0.png", A, "0.mask.png", Pictures.mask(4, 3, 1))));
        assertEquals(
                "record 0: 0.mask.png: a label must be at most 255, got 256",
                fault(() -> readMasks("0.png", A, "0.mask.png", Pictures.deepMask(3, 4, 256))));
        assertEquals(
                "record 1: 1.png: the image is cut short after its chunk IHDR",
                fault(() -> read("0.png", A, "1.png", Arrays.copyOf(A, 60))));
        assertEquals("record 0: 0.png: the file is empty", fault(() -> read("0.png", "")));
        assertEquals(
                "record 1: 1.png: not a file but a link, a pipe or a device",
                fault(() -> read("0.png", A, "1.png", null)));
        assertEquals("there is no record in this shard", fault(() -> read("README", "nothing")));
        assertEquals(
                "record 0: 0.jpg: the image says that it has 3 x 4 pixels, more than 11 in all;"
                        + " optMaxPixels lets larger ones pass",
                fault(
                        () ->
                                Pictures.read(
                                        of(shard(TarFile.of("0.jpg", B)))
                                                .optMaxPixels(11)
                                                .build())));
        byte[] large = new byte[(1 << 20) + 9];
        assertEquals(
                "record 0: 0.jpg: it has 1048585 bytes, more than 1048584",
                fault(
                        () ->
                                Pictures.read(
                                        of(shard(TarFile.of("0.jpg", large)))
                                                .optMaxPixels(1)
                                                .build())));
    }

    /** Wherever it is cut, it is noticed: no scene is lost silently, and none is wrong. */
    @Test
    void cutShort() throws IOException {
        byte[] tar = TarFile.of("0.png", A, "1.png", C, "1.txt", "a text", "3.jpg", B);
        byte[] end = new byte[1024];
        assertTrue(Arrays.equals(end, Arrays.copyOfRange(tar, tar.length - 1024, tar.length)));
        for (int length = 0; length <= tar.length - 1024; length += length % 512 == 0 ? 1 : 255) {
            Path cut = shard(Arrays.copyOf(tar, length));
            String fault = fault(() -> Pictures.read(of(cut).build()));
            assertTrue(fault.matches("(?s).*(cut short|empty|checksum).*"), length + ": " + fault);
        }
        assertEquals(
                "the shard is damaged or cut short: the mark of its end is missing, after record 2",
                fault(
                        () ->
                                Pictures.read(
                                        of(shard(Arrays.copyOf(tar, tar.length - 1024))).build())));
        byte[] packed = TfRecordFile.gzip(tar);
        for (int length = 0; length < packed.length; length++) {
            Path cut = shard(Arrays.copyOf(packed, length));
            fault(() -> Pictures.read(of(cut).build()));
        }
    }

    @Test
    void damaged() throws IOException {
        byte[] tar = TarFile.of("0.png", A, "1.png", C);
        for (int at = 0; at < 500; at += 7) {
            if (at >= 148 && at < 156) { // the checksum itself, which has characters to spare
                continue;
            }
            byte[] changed = tar.clone();
            changed[at] ^= 1;
            fault(() -> Pictures.read(of(shard(changed)).build()));
        }
        byte[] packed = TfRecordFile.gzip(tar);
        packed[packed.length - 6] ^= 1; // of the checksum
        fault(() -> Pictures.read(of(shard(packed)).build()));
        fault(() -> Pictures.read(of(shard(A)).build()));
        fault(() -> Pictures.read(of(shard(new byte[10240])).build()));
        byte[] two = Arrays.copyOf(tar, 2 * tar.length);
        System.arraycopy(tar, 0, two, tar.length, tar.length);
        assertEquals(
                "the shard is damaged or cut short: something follows behind its end, after record"
                        + " 1",
                fault(() -> Pictures.read(of(shard(two)).build())));
        assertEquals(
                folder + ": not a file but a folder",
                assertThrows(SceneFileException.class, () -> of(folder).build().open())
                        .getMessage());
    }

    @Test
    void refusedOptions() {
        assertRefused(
                "WebDatasetScenes: there must be at least one shard",
                () -> WebDatasetScenes.builder().setSize(1, 1).build());
        assertRefused(
                "WebDatasetScenes: height and width must be at least 1, got 0 and 0",
                () -> WebDatasetScenes.builder().setShards(List.of(folder)).build());
        assertRefused(
                "WebDatasetScenes: an ending is what comes after the first dot, got .png",
                () -> of(folder).optMasks(".png"));
        assertRefused(
                "WebDatasetScenes: an ending is that of pictures or of masks, got [png] for both",
                () -> of(folder).optImages("png").optMasks("png").build());
        assertRefused(
                "WebDatasetScenes: the void label must be 0 to 255, got 256",
                () -> of(folder).optVoid(256));
        assertRefused(
                "WebDatasetScenes: maxPixels must be at least 1, got 0",
                () -> of(folder).optMaxPixels(0).build());
    }
}
