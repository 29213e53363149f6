package org.slotwise.examples.pictures;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.SceneFiles;

class OwnPicturesTest {

    private static final int SIDE = DrawnPictures.SIDE;

    @TempDir Path folder;

    private static OwnPictures read(Path path, Integer nothing) throws IOException {
        SceneFiles.Builder builder = SceneFiles.builder().setPath(path).setSize(SIDE, SIDE);
        if (nothing != null) {
            builder.optVoid(nothing);
        }
        try (SceneFiles files = builder.build()) {
            return OwnPictures.of(files, SIDE, nothing, new PrintWriter(new StringWriter()));
        }
    }

    private static List<Scene> all(Path path) throws IOException {
        try (SceneFiles files = SceneFiles.open(path, SIDE, SIDE)) {
            return files.open().toList();
        }
    }

    @Test
    void givesWhatWasReadInAnyOrder() throws IOException {
        Path drawn = DrawnPictures.draw(folder, 5);
        List<Scene> expected = all(drawn);
        try (OwnPictures own = read(drawn, null)) {
            assertEquals(own, own.masked());
            assertEquals(5, own.size());
            for (int i : new int[] {4, 0, 3, 1, 2, 4}) {
                assertEquals(expected.get(i), own.get(i));
            }
            assertThrows(IndexOutOfBoundsException.class, () -> own.get(5));
        }
        try (OwnPictures own = read(drawn.resolve("images"), null)) {
            assertEquals(0, own.masked().size());
            assertFalse(own.get(2).hasMask());
            assertArrayEquals(expected.get(2).image(), own.get(2).image());
        }
        try (OwnPictures own = read(drawn, 1)) {
            assertEquals(1, own.get(0).voidLabel().orElseThrow());
        }
    }

    /** Gigabytes would stay for ever where a process is killed while it trains. */
    @Test
    @DisabledOnOs(OS.WINDOWS)
    void theTemporaryFileHasNoName() throws IOException {
        Path drawn = DrawnPictures.draw(folder, 3);
        Set<Path> before = temporary();
        try (OwnPictures own = read(drawn, null)) {
            assertEquals(3, own.size());
            Set<Path> after = temporary();
            after.removeAll(before);
            assertEquals(Set.of(), after);
        }
    }

    private static Set<Path> temporary() throws IOException {
        try (Stream<Path> all = Files.list(Path.of(System.getProperty("java.io.tmpdir")))) {
            return all.filter(one -> one.getFileName().toString().startsWith("slotwise-pictures"))
                    .collect(Collectors.toCollection(HashSet::new));
        }
    }

    /** Shards of a tar archive can be read from their start alone. */
    @Test
    void takesWhatCanOnlyBeReadFromTheStart() throws IOException {
        Path drawn = DrawnPictures.draw(folder.resolve("drawn"), 4);
        Path shard = folder.resolve("train-000000.tar");
        try (OutputStream out = Files.newOutputStream(shard)) {
            for (int i = 0; i < 4; i++) {
                String name = "00" + i + ".png";
                entry(out, name, Files.readAllBytes(drawn.resolve("images").resolve(name)));
                entry(
                        out,
                        "00" + i + ".mask.png",
                        Files.readAllBytes(drawn.resolve("masks").resolve(name)));
            }
            out.write(new byte[1024]);
        }
        List<Scene> expected = all(drawn);
        try (OwnPictures own = read(shard, null)) {
            assertEquals(4, own.size());
            for (int i = 3; i >= 0; i--) {
                assertArrayEquals(expected.get(i).image(), own.get(i).image());
                assertArrayEquals(expected.get(i).mask(), own.get(i).mask());
            }
        }
    }

    /** An entry of a tar archive as POSIX has it. */
    static void entry(OutputStream out, String name, byte[] content) throws IOException {
        byte[] header = new byte[512];
        put(header, 0, name);
        put(header, 100, "0000644\0000000000\0000000000\000");
        put(header, 124, String.format("%011o\0%011o\0", content.length, 0));
        put(header, 148, "        0");
        put(header, 257, "ustar\00000");
        int sum = 0;
        for (byte b : header) {
            sum += b & 0xff;
        }
        put(header, 148, String.format("%06o\0 ", sum));
        out.write(header);
        out.write(content);
        out.write(new byte[(512 - content.length % 512) % 512]);
    }

    private static void put(byte[] header, int at, String text) {
        byte[] bytes = text.getBytes(StandardCharsets.US_ASCII);
        System.arraycopy(bytes, 0, header, at, bytes.length);
    }

    @Test
    void saysWhichPictureIsBrokenAndLeavesNothingBehind() throws IOException {
        Path drawn = DrawnPictures.draw(folder, 3);
        Path broken = drawn.resolve("images").resolve("002.png");
        byte[] bytes = Files.readAllBytes(broken);
        Files.write(broken, java.util.Arrays.copyOf(bytes, bytes.length / 2));
        String says = assertThrows(IOException.class, () -> read(drawn, null)).getMessage();
        assertTrue(says.contains("002.png"), says);
    }

    /** 30 scenes that can be told apart. */
    private static List<Scene> numbered() {
        return IntStream.range(0, 30)
                .mapToObj(i -> new Scene(1, 1, new byte[] {(byte) i, 0, 0}))
                .toList();
    }

    @Test
    void holdsOutSomeAndAlwaysTheSame() throws IOException {
        List<Scene> scenes = numbered();
        HeldOut split = HeldOut.of(Scenes.of(scenes), i -> true, 7);
        assertEquals(23, split.learning().size());
        assertEquals(7, split.others().size());
        Set<Scene> seen = new HashSet<>(split.learning().open().toList());
        seen.addAll(split.others().open().toList());
        assertEquals(30, seen.size());
        assertEquals(
                split.others().open().toList(),
                HeldOut.of(Scenes.of(scenes), i -> true, 7).others().open().toList());
        assertEquals(0, HeldOut.of(Scenes.of(scenes), i -> true, 0).others().size());
        assertEquals(1, HeldOut.usual(2, 2));
        assertEquals(20, HeldOut.usual(200, 200));
        assertEquals(100, HeldOut.usual(1_000_000, 1_000_000));
        assertEquals(7, HeldOut.usual(200, 7));
        assertEquals(0, HeldOut.usual(200, 0));
    }

    /** Those that are scored have masks, and none of all pictures is lost. */
    @Test
    void holdsOutNoneThatCannotBeScored() throws IOException {
        List<Scene> scenes = numbered();
        HeldOut split = HeldOut.of(Scenes.of(scenes), i -> i % 10 == 3, 2);
        assertEquals(28, split.learning().size());
        for (Scene scene : split.others().open().toList()) {
            assertEquals(3, scene.image()[0] % 10);
        }
        Set<Scene> seen = new HashSet<>(split.learning().open().toList());
        seen.addAll(split.others().open().toList());
        assertEquals(30, seen.size());
    }

    @Test
    void someMayHaveMasksAndOthersNone() throws IOException {
        Path drawn = DrawnPictures.draw(folder, 5);
        List<Scene> expected = all(drawn);
        Files.delete(drawn.resolve("masks").resolve("001.png"));
        Files.delete(drawn.resolve("masks").resolve("004.png"));
        try (SceneFiles files =
                        SceneFiles.builder()
                                .setPath(drawn)
                                .setSize(SIDE, SIDE)
                                .optPartlyMasked(true)
                                .build();
                OwnPictures own =
                        OwnPictures.of(files, SIDE, null, new PrintWriter(new StringWriter()))) {
            assertEquals(5, own.size());
            assertEquals(3, own.masked().size());
            assertEquals(expected.get(2), own.masked().get(1));
            assertEquals(expected.get(3), own.get(3));
            assertFalse(own.get(1).hasMask());
            assertArrayEquals(expected.get(4).image(), own.get(4).image());
            assertTrue(own.isMasked(0));
            assertFalse(own.isMasked(4));
        }
    }
}
