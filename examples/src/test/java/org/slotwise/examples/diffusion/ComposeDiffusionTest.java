package org.slotwise.examples.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeFalse;

import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import javax.imageio.ImageIO;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.examples.pictures.MeasureDistance;
import org.slotwise.examples.shared.OtherProcess;
import org.slotwise.examples.shared.Run;

/** {@code slotwise diffusion compose}: figures, folders of pictures, and distances. */
class ComposeDiffusionTest {

    /** A stand-in for Inception with random weights: the real one cannot be distributed. */
    private static final String INCEPTION = "../src/test/resources/distance/inception_vectors.pt";

    @TempDir private static Path shared;
    private static Path model;

    @TempDir private Path folder;

    @BeforeAll
    static void make() throws IOException {
        model = TinyModel.write(shared.resolve("model.safetensors"));
    }

    private static String[] args(Object... more) {
        List<String> args = new ArrayList<>(List.of("compose", "--model", model.toString()));
        Arrays.stream(more).map(Object::toString).forEach(args::add);
        if (!args.contains("--objects") && !args.contains("--rule")) {
            args.addAll(List.of("--objects", "2"));
        }
        if (!args.contains("--sampling-steps")) {
            args.addAll(List.of("--sampling-steps", "2"));
        }
        return args.toArray(String[]::new);
    }

    private static Run compose(Object... more) {
        return Run.of(new DiffuseSlots(), args(more));
    }

    /** The content of all pictures below a folder, by their names. */
    private static Map<String, Integer> files(Path folder) throws IOException {
        Map<String, Integer> all = new TreeMap<>();
        try (Stream<Path> files = Files.walk(folder)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                String name = folder.relativize(file).toString().replace('\\', '/');
                all.put(name, Arrays.hashCode(Files.readAllBytes(file)));
            }
        }
        return all;
    }

    @Test
    void writesWhatEachDecoderMakes() throws IOException {
        Path made = folder.resolve("some pictures/größer");
        compose("--folder", made, "--scenes", 5, "--count", 34).succeeds();
        Map<String, Integer> all = files(made);
        assertEquals(34 + 34 + 5 + 1, all.size(), all.keySet()::toString);
        for (String part : List.of("first-stage", "diffusion")) {
            BufferedImage last = ImageIO.read(made.resolve(part + "/000033.png").toFile());
            assertEquals(32, last.getWidth());
            assertEquals(34, all.keySet().stream().filter(x -> x.startsWith(part)).count());
            // In the second batch other slots and other noise.
            assertNotEquals(all.get(part + "/000000.png"), all.get(part + "/000032.png"));
        }
        assertNotEquals(all.get("first-stage/000003.png"), all.get("diffusion/000003.png"));
        assertTrue(all.containsKey("real/000004.png"), all.keySet()::toString);

        Files.delete(made.resolve("diffusion/000033.png"));
        Files.delete(made.resolve("first-stage/000002.png"));
        Files.delete(made.resolve("real/000001.png"));
        String missing = compose("--folder", made, "--scenes", 5, "--count", 34).succeeds().out();
        assertTrue(missing.contains("31 of 34 pictures were there already"), missing);
        assertEquals(all, files(made), "what was missing is the same again");
        String more = compose("--folder", made, "--scenes", 5, "--count", 36).succeeds().out();
        assertTrue(more.contains("34 of 36 pictures were there already"), more);
        Map<String, Integer> longer = files(made);
        assertEquals(all.size() + 4, longer.size());
        all.forEach((name, content) -> assertEquals(content, longer.get(name), name));
        assertFalse(more.contains("more pictures than"), more);
        String fewer = compose("--folder", made, "--scenes", 5, "--count", 34).succeeds().out();
        for (String part : List.of("first-stage", "diffusion")) {
            assertTrue(fewer.contains(part + " has more pictures than these 34; they stay"), fewer);
        }
        assertFalse(fewer.contains("real has more"), fewer);

        compose("--folder", made, "--scenes", 5, "--count", 34, "--seed", 1)
                .fails(1, "has other pictures: it was --seed 0, and is now --seed 1");
        compose("--folder", made, "--scenes", 6, "--count", 34)
                .fails(1, "it was slots of 5 scenes of seed 4242, and is now slots of 6");
        assertEquals(longer, files(made), "what is refused changes nothing");
    }

    /** Killed at once, and asked to end. */
    @Test
    void goesOnWhereItWasStopped() throws Exception {
        Object[] usual = {"--scenes", 5, "--count", 96, "--sampling-steps", 12};
        Path whole = folder.resolve("whole");
        compose(with(usual, "--folder", whole)).succeeds();
        for (boolean forcibly : new boolean[] {true, false}) {
            Path made = folder.resolve("stopped" + forcibly);
            Path told = folder.resolve(forcibly + ".txt");
            String[] args = args(with(usual, "--folder", made));
            Process process = OtherProcess.start(DiffuseSlots.class, told, List.of(args));
            try {
                while (!Files.exists(made.resolve("diffusion/000001.png"))) {
                    assertFalse(process.waitFor(2, TimeUnit.MILLISECONDS), () -> "ended: " + told);
                }
            } finally {
                if (forcibly) {
                    process.destroyForcibly().waitFor();
                } else {
                    process.destroy();
                    assertTrue(process.waitFor(30, TimeUnit.SECONDS), "ends soon");
                }
            }
            if (!forcibly) {
                String last = Files.readString(told);
                assertTrue(last.contains("; the same command goes on"), last);
                assertFalse(Files.exists(made.resolve("diffusion/000095.png")), last);
            }
            compose(with(usual, "--folder", made)).succeeds();
            assertEquals(files(whole), files(made), "and nothing unfinished is left");
        }
    }

    private static Object[] with(Object[] some, Object... more) {
        return Stream.concat(Arrays.stream(some), Arrays.stream(more)).toArray();
    }

    @Test
    void takesAwayWhatWasNotFinishedAndRefusesOthersFiles() throws IOException {
        Path made = Files.createDirectory(folder.resolve("made"));
        String unfinished = ".%s.0a1b2c3d-0000-4000-8000-00000000000f.tmp";
        Path before = made.resolve(unfinished.formatted("composition.txt"));
        Files.writeString(before, "mode");
        Object[] usual = {"--folder", made, "--scenes", 2, "--count", 3};
        compose(usual).succeeds();
        Map<String, Integer> all = files(made);
        assertFalse(Files.exists(before), "of a run that was killed at its beginning");
        assertEquals(3 + 3 + 2 + 1, all.size(), all.keySet()::toString);

        Path diffusion = made.resolve("diffusion");
        Files.writeString(diffusion.resolve(unfinished.formatted("000001.png")), "PN");
        compose(usual).succeeds();
        assertEquals(all, files(made));
        Path left = Files.writeString(diffusion.resolve(".DS_Store"), "of another program");
        Files.createDirectory(diffusion.resolve("empty"));
        compose(usual).succeeds();
        assertTrue(Files.exists(left), "nothing of others is taken away");

        for (String name :
                List.of("a.png", "0000003.png", "1.png", "000001.PNG", "000001.jpg", "notes.txt")) {
            Path other = Files.writeString(diffusion.resolve(name), "of others");
            compose(usual).fails(1, "diffusion has files that this", name, "move them out of it");
            Files.delete(other);
        }
        Path below = Files.createDirectory(diffusion.resolve("old"));
        Files.writeString(below.resolve("000001.png"), "of others");
        Files.writeString(below.resolve("000002.png"), "of others");
        compose(usual).fails(1, "such as old", "000001.png (2 in all)");
        Files.move(below, made.resolve("real/old"));
        compose(usual).fails(1, "real has files that this command does not write");
        Files.move(made.resolve("real/old"), made.resolve("old"));
        compose(usual).succeeds();
        Path none = Files.writeString(made.resolve("real/000002.png"), "there are two");
        compose(usual).fails(1, "real has files that this command", "000002.png");
        Files.delete(none);
        Files.delete(diffusion.resolve("000001.png"));
        compose(usual).succeeds();
        assertEquals(all.get("diffusion/000001.png"), files(made).get("diffusion/000001.png"));
    }

    /** Two at a time would take away what the other has not finished. */
    @Test
    void oneAtATimeWrites() throws Exception {
        Path made = folder.resolve("made");
        Object[] usual = {"--folder", made, "--scenes", 5, "--count", 960, "--sampling-steps", 50};
        Process process =
                OtherProcess.start(
                        DiffuseSlots.class, folder.resolve("told.txt"), List.of(args(usual)));
        try {
            while (!Files.exists(made.resolve("diffusion/000001.png"))) {
                assertFalse(process.waitFor(2, TimeUnit.MILLISECONDS), "it goes on");
            }
            compose(usual).fails(1, "is being written to by another such command");
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    @Test
    void refusesFoldersThatAreNone() throws IOException {
        Path file = Files.writeString(folder.resolve("file"), "text");
        compose("--folder", file).fails(1, "--folder", "is a file, not a folder");
        compose("--folder", file.resolve("under")).fails(1, "--folder", "is a file");
        compose("--folder", folder.resolve("a.png")).fails(2, "--folder must be a folder");
        compose("--folder", folder).fails(1, "has other files; --folder must be empty");
        Path begun = Files.createDirectory(folder.resolve("begun"));
        Files.write(begun.resolve("composition.txt"), new byte[] {(byte) 0xff, (byte) 0xfe});
        compose("--folder", begun).fails(1, "composition.txt is no text");
        Path closed = Files.createDirectory(folder.resolve("closed"));
        Files.setPosixFilePermissions(closed, PosixFilePermissions.fromString("r-xr-xr-x"));
        assumeFalse(Files.isWritable(closed), "who may write everywhere");
        compose("--folder", closed).fails(1, "--folder", "denied");
    }

    @Test
    void takesPicturesOfOnesOwnAndOneAlone() throws IOException {
        Path own = TinyModel.pictures(folder.resolve("own"), 1);
        Path made = folder.resolve("made");
        Path figure = folder.resolve("figure.png");
        compose("--images", own, "--folder", made, "--count", 1).succeeds();
        assertEquals(4, files(made).size());
        String again = compose("--images", own, "--folder", made, "--count", 1).succeeds().out();
        assertTrue(again.contains("1 of 1 pictures were there already"), again);
        Path other = TinyModel.pictures(folder.resolve("other"), 2);
        Files.move(
                other.resolve("1.png"), own.resolve("0.png"), StandardCopyOption.REPLACE_EXISTING);
        compose("--images", own, "--folder", made, "--count", 1)
                .fails(1, "has other pictures: it was slots of 1 pictures of ");
        compose("--images", own, "--pictures", 1, "--output", figure).succeeds();
        compose("--images", own, "--folder", own.resolve("x"))
                .fails(2, "--folder must not lie among the pictures that are read");
        compose("--images", own, "--clusters", own.resolve("x.png"))
                .fails(2, "--clusters must not lie among the pictures that are read");
        compose("--images", own, "--distance", 2).fails(1, "at least 4 pictures are needed, got 1");
        Path four = TinyModel.pictures(folder.resolve("four"), 4);
        String far = compose("--images", four, "--distance", 50).succeeds().out();
        assertTrue(far.contains("Distances of 2 pictures to the 2 that slots are of"), far);
    }

    @Test
    void drawsBothDecodersAndTheClusters() throws IOException {
        Path figure = folder.resolve("figure.png");
        Path clusters = folder.resolve("clusters.png");
        Object[] usual = {"--scenes", 8, "--pictures", 3, "--output", figure};
        String out = compose(with(usual, "--clusters", clusters)).succeeds().out();
        assertTrue(out.contains("clusters.png"), out);
        BufferedImage both = ImageIO.read(figure.toFile());
        assertEquals(3 * (96 + 6 + 6), both.getHeight(), 12);
        // A background, two objects or none, and a picture by each decoder.
        assertTrue(both.getWidth() > 3 * 96, () -> "" + both.getWidth());
        BufferedImage sheet = ImageIO.read(clusters.toFile());
        assertEquals(3 * (96 + 16), sheet.getHeight(), 24);
        assertEquals(10 * (96 + 8), sheet.getWidth(), 16);
        assertFalse(out.contains("The model learnt pictures of"), out);
        assertTrue(
                compose(with(usual, "--objects", 40))
                        .succeeds()
                        .out()
                        .contains("background and 40"),
                "more than it has learnt is told of");
        String shifted = compose(with(usual, "--rule", "shifted")).succeeds().out();
        assertFalse(shifted.contains("clusters of"), shifted);
        compose(with(usual, "--clusters", figure)).fails(2, "must be another file than");
        compose(with(usual, "--clusters", folder.resolve("a.jpg")))
                .fails(2, "--clusters must end in .png");
        compose("--sampler", "DPM_SOLVER", "--sampling-steps", 1000, "--output", figure)
                .fails(2, "--sampling-steps must be at most 999 for this model by DPM_SOLVER");
    }

    /** A distance is that of the files that --folder writes. */
    @Test
    void measuresWhatItWouldWrite() {
        Path made = folder.resolve("made");
        compose("--folder", made, "--count", 4).succeeds();
        String table = compose("--distance", 4, "--inception", INCEPTION).succeeds().out();
        assertTrue(table.contains("Inception-v3"), table);
        assertTrue(table.contains("fewer pictures than numbers in the features"), table);
        assertFalse(table.contains("no FID"), table);
        String alone =
                Run.of(
                                new MeasureDistance(),
                                "--real",
                                made.resolve("real").toString(),
                                "--other",
                                made.resolve("diffusion").toString(),
                                "--inception",
                                INCEPTION)
                        .succeeds()
                        .out();
        double fid = numbers(alone, "FID: (\\S+)")[0];
        double told = numbers(table, "composed, by diffusion +(\\S+)")[0];
        assertEquals(fid, told, 1e-3 * fid, table + alone);
    }

    @Test
    void tellsTheMeanOfSeveralSeeds() {
        String both = compose("--distance", 9, "--repeats", 2, "--seed", 4).succeeds().out();
        assertTrue(both.contains("no FID and no KID"), both);
        String[] one = new String[2];
        for (int i = 0; i < 2; i++) {
            one[i] = compose("--distance", 9, "--seed", 4 + i).succeeds().out();
        }
        for (String by : List.of("composed, by diffusion", "composed, by the first stage")) {
            double[] told = numbers(both, by + " +(\\S+) \\((\\S+) to (\\S+)\\)");
            double first = numbers(one[0], by + " +(\\S+)")[0];
            double second = numbers(one[1], by + " +(\\S+)")[0];
            assertNotEquals(first, second, both);
            assertEquals((first + second) / 2, told[0], 1e-3 * told[0], both);
            assertEquals(Math.min(first, second), told[1], 1e-3 * told[1], both);
            assertEquals(Math.max(first, second), told[2], 1e-3 * told[2], both);
        }
    }

    private static double[] numbers(String text, String pattern) {
        Matcher matcher = Pattern.compile(pattern).matcher(text);
        assertTrue(matcher.find(), text);
        double[] numbers = new double[matcher.groupCount()];
        for (int i = 0; i < numbers.length; i++) {
            numbers[i] = Double.parseDouble(matcher.group(i + 1));
        }
        return numbers;
    }

    @Test
    void refusesWhatCannotBe() throws IOException {
        Run.of(
                        new DiffuseSlots(),
                        "compose",
                        "--clusters",
                        folder.resolve("x.png").toString(),
                        "--prompt",
                        "0:0")
                .fails(2, "--clusters has no effect beside --prompt");
        compose("--count", 3).fails(2, "--count needs --folder");
        compose("--inception", INCEPTION).fails(2, "--inception needs --distance");
        compose("--repeats", 3).fails(2, "--repeats needs --distance");
        compose("--distance", 4, "--folder", folder.resolve("x"))
                .fails(2, "--folder has no effect beside --distance");
        compose("--folder", folder.resolve("x"), "--output", folder.resolve("x.png"))
                .fails(2, "--output has no effect beside --folder");
        Path empty = Files.createFile(folder.resolve("empty.pt"));
        compose("--distance", 4, "--inception", empty).fails(1, "--inception", "empty.pt");
        assertArrayEquals(new byte[0], Files.readAllBytes(empty));
    }
}
