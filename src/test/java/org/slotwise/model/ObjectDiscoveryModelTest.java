package org.slotwise.model;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNotEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.modality.cv.ImageFactory;
import ai.djl.repository.zoo.Criteria;
import ai.djl.repository.zoo.ZooModel;
import ai.djl.translate.DeferredTranslatorFactory;
import com.google.common.jimfs.Configuration;
import com.google.common.jimfs.Jimfs;
import java.awt.image.BufferedImage;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.FileSystem;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.ZipEntry;
import java.util.zip.ZipOutputStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slotwise.image.DiscoveredObjects;

class ObjectDiscoveryModelTest {

    @TempDir Path folder;

    static Image image(int height, int width, long seed) {
        BufferedImage image = new BufferedImage(width, height, BufferedImage.TYPE_INT_RGB);
        Random random = new Random(seed);
        for (int y = 0; y < height; y++) {
            for (int x = 0; x < width; x++) {
                image.setRGB(x, y, random.nextInt(1 << 24));
            }
        }
        return ImageFactory.getInstance().fromImage(image);
    }

    private static void assertSame(DiscoveredObjects expected, DiscoveredObjects got) {
        assertTrue(Arrays.deepEquals(expected.slots(), got.slots()), "slots");
        assertTrue(
                Arrays.deepEquals(expected.segmentation().getMask(), got.segmentation().getMask()),
                "segmentation");
    }

    private static ObjectDiscoveryModel random() {
        return ObjectDiscoveryModel.create(SmallModels.random(), 1);
    }

    @ParameterizedTest
    @ValueSource(strings = {"model", "model.zip"})
    void isLoadedAsItWasSaved(String name) throws IOException {
        Path path = folder.resolve(name);
        List<Image> images = List.of(image(8, 8, 1), image(20, 13, 2));
        List<DiscoveredObjects> expected;
        try (ObjectDiscoveryModel model = random()) {
            model.save(path);
            model.save(path); // over itself
            expected = model.predict(images);
        }
        try (ObjectDiscoveryModel model = ObjectDiscoveryModel.load(path)) {
            assertEquals(SmallModels.random(), model.configuration());
            List<DiscoveredObjects> got = model.predict(images);
            for (int i = 0; i < images.size(); i++) {
                assertSame(expected.get(i), got.get(i));
            }
            assertEquals(20, got.get(1).segmentation().getMask().length);
        }
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(List.of(path), files.toList());
        }
    }

    /** By DJL alone: without a line of the library. */
    @ParameterizedTest
    @ValueSource(strings = {"model", "model.zip"})
    void isLoadedByDjl(String name) throws Exception {
        Path path = folder.resolve(name);
        Image image = image(20, 13, 2);
        DiscoveredObjects expected;
        try (ObjectDiscoveryModel model = random()) {
            model.save(path);
            expected = model.predict(image);
        }
        Criteria<Image, DiscoveredObjects> criteria =
                Criteria.builder()
                        .setTypes(Image.class, DiscoveredObjects.class)
                        .optModelPath(path)
                        .optEngine("PyTorch")
                        .optTranslatorFactory(new DeferredTranslatorFactory())
                        .build();
        try (ZooModel<Image, DiscoveredObjects> model = criteria.loadModel();
                Predictor<Image, DiscoveredObjects> predictor = model.newPredictor()) {
            assertSame(expected, predictor.predict(image));
        }
    }

    @Test
    void everyModelComesBack() throws IOException {
        Image image = image(8, 8, 3);
        for (var c : SmallModels.all().entrySet()) {
            Path path = folder.resolve(c.getKey() + ".zip");
            DiscoveredObjects expected;
            try (ObjectDiscoveryModel model = ObjectDiscoveryModel.create(c.getValue(), 1)) {
                model.save(path);
                expected = model.predict(image);
            }
            try (ObjectDiscoveryModel model = ObjectDiscoveryModel.load(path)) {
                assertEquals(c.getValue(), model.configuration());
                assertSame(expected, model.predict(image));
            }
        }
    }

    private void refused(Path path, String message) {
        IOException e = assertThrows(IOException.class, () -> ObjectDiscoveryModel.load(path));
        assertTrue(
                e.getMessage().startsWith("ObjectDiscoveryModel: cannot load " + path + ": "),
                e.getMessage());
        assertTrue(e.getMessage().contains(message), e.getMessage());
    }

    @Test
    void refusesWhatIsNoModel() throws IOException {
        refused(folder.resolve("nothing"), "there is no folder or file of this name");
        refused(Path.of("tetrominoes"), "ObjectDiscoveryModel.shipped(\"tetrominoes\")");
        refused(folder, "it has no model.json");
        Path file = Files.writeString(folder.resolve("a.zip"), "no zip");
        refused(file, "it is no whole zip file");
        Path text = Files.writeString(folder.resolve("a.txt"), "");
        refused(text, "it is no whole zip file");
    }

    @Test
    void refusesWhatIsDamaged() throws IOException {
        Path path = folder.resolve("model");
        Path zip = folder.resolve("model.zip");
        try (ObjectDiscoveryModel model = random()) {
            model.save(path);
            model.save(zip);
        }
        byte[] whole = Files.readAllBytes(zip);
        for (int size : new int[] {0, 10, whole.length / 2, whole.length - 1}) {
            Files.write(zip, Arrays.copyOf(whole, size));
            refused(zip, "");
        }
        Path weights = path.resolve("weights.safetensors");
        byte[] bytes = Files.readAllBytes(weights);
        for (int size : new int[] {0, 4, 100, bytes.length - 1}) {
            Files.write(weights, Arrays.copyOf(bytes, size));
            refused(path, "weights.safetensors");
        }
        byte[] spoilt = bytes.clone();
        Arrays.fill(spoilt, spoilt.length - 4, spoilt.length, (byte) 0xff); // NaN
        Files.write(weights, spoilt);
        refused(path, "must be finite");
        Files.delete(weights);
        refused(path, "it has no weights.safetensors");
        Files.write(weights, bytes);
        Path json = path.resolve("model.json");
        String text = Files.readString(json);
        Files.writeString(json, text.replace("\"version\": 1", "\"version\": 7"));
        refused(path, "model.json: ObjectDiscoveryConfiguration: it is of version 7");
        Files.writeString(json, text.replace("\"slotDim\": 4", "\"slotDim\": 6"));
        refused(path, "weights.safetensors");
        Files.writeString(json, text.substring(0, text.length() / 2));
        refused(path, "model.json: ");
        Files.write(json, new byte[] {(byte) 0xff, (byte) 0xfe});
        refused(path, "model.json: ");
        Files.writeString(json, text);
        ObjectDiscoveryModel.load(path).close();
    }

    /** What was there stays as it was. */
    @Test
    void writesOverNothingElse() throws IOException {
        Path mine = Files.createDirectory(folder.resolve("mine"));
        Path file = Files.writeString(mine.resolve("thesis.txt"), "years");
        Path plain = Files.writeString(folder.resolve("plain"), "text");
        try (ObjectDiscoveryModel model = random()) {
            assertThrows(IOException.class, () -> model.save(mine));
            assertThrows(IOException.class, () -> model.save(plain));
            assertThrows(IOException.class, () -> model.save(folder.resolve("no/such/model")));
            assertThrows(IOException.class, () -> model.save(folder.resolve("no/model.zip")));
        }
        assertEquals("years", Files.readString(file));
        assertEquals("text", Files.readString(plain));
        try (Stream<Path> files = Files.list(folder)) {
            assertEquals(2, files.count());
        }
    }

    /** What is no part of a model, beside one. */
    @Test
    void keepsWhatWasPutIntoAModelsFolder() throws IOException {
        Path path = folder.resolve("model");
        try (ObjectDiscoveryModel model = random()) {
            model.save(path);
            Path mine = Files.writeString(path.resolve("notes.txt"), "years");
            IOException e = assertThrows(IOException.class, () -> model.save(path));
            assertEquals(
                    path
                            + ": it has other files than a model's in it, such as notes.txt, and is"
                            + " not overwritten",
                    e.getMessage());
            assertEquals("years", Files.readString(mine));
        }
    }

    /** A zip takes the place of a model, and of nothing else. */
    @Test
    void keepsAZipThatIsNoModel() throws IOException {
        Path path = folder.resolve("photos.zip");
        try (ObjectDiscoveryModel model = random()) {
            Files.writeString(path, "no zip at all");
            refuses(model, path, "is no whole zip file");
            zip(path, "model.json", "weights.safetensors", "holidays.jpg");
            refuses(model, path, "such as holidays.jpg");
            zip(path, "model.json");
            refuses(model, path, "it is no model");
            zip(path);
            refuses(model, path, "it is no model");
            Files.delete(path);
            Files.createDirectory(path);
            refuses(model, path, "it is a folder, not a .zip");
            Files.delete(path);

            model.save(path);
            byte[] first = Files.readAllBytes(path);
            model.save(path);
            assertArrayEquals(first, Files.readAllBytes(path));
            Files.write(path, new byte[0]);
            model.save(path);
            assertArrayEquals(first, Files.readAllBytes(path));
            ObjectDiscoveryModel.requireReplaceable(folder.resolve("nothing.zip"));
        }
    }

    private static void zip(Path path, String... names) throws IOException {
        try (ZipOutputStream zip = new ZipOutputStream(Files.newOutputStream(path))) {
            for (String name : names) {
                zip.putNextEntry(new ZipEntry(name));
            }
        }
    }

    private static void refuses(ObjectDiscoveryModel model, Path path, String why)
            throws IOException {
        byte[] before = Files.isRegularFile(path) ? Files.readAllBytes(path) : new byte[0];
        for (Executable call :
                List.<Executable>of(
                        () -> ObjectDiscoveryModel.requireReplaceable(path),
                        () -> model.save(path))) {
            IOException e = assertThrows(FileAlreadyExistsException.class, call);
            assertTrue(e.getMessage().contains(why), e.getMessage());
        }
        assertArrayEquals(
                before, Files.isRegularFile(path) ? Files.readAllBytes(path) : new byte[0]);
    }

    /** A process that was killed between the two moves of a folder that takes another's place. */
    @Test
    void aKilledSaveIsFinished() throws IOException {
        Path path = folder.resolve("model");
        Image image = image(8, 8, 1);
        try (ObjectDiscoveryModel model = random();
                ObjectDiscoveryModel other = ObjectDiscoveryModel.create(SmallModels.random(), 2)) {
            model.save(path);
            other.save(folder.resolve("other"));
            Files.move(path, folder.resolve(".model.1.former.tmp"));
            Files.move(folder.resolve("other"), folder.resolve(".model.1.new.tmp"));
            try (ObjectDiscoveryModel loaded = ObjectDiscoveryModel.load(path)) {
                assertSame(other.predict(image), loaded.predict(image));
            }
            model.save(path);
            try (Stream<Path> files = Files.list(folder)) {
                assertEquals(List.of(path), files.toList());
            }
        }
    }

    /** Of every size, up to one that holds two models; a zip is written where nothing is. */
    @ParameterizedTest
    @ValueSource(strings = {"model", "model.zip"})
    void aFullDiskLeavesTheFormerModel(String name) throws IOException {
        Path unfilled = folder.resolve(name);
        int full = 0;
        int held = 0;
        try (ObjectDiscoveryModel model = random();
                ObjectDiscoveryModel other = ObjectDiscoveryModel.create(SmallModels.random(), 2)) {
            model.save(unfilled);
            long bytes = content(unfilled).values().stream().mapToLong(b -> b.length).sum();
            // The file system that is full knows no move of a file over another.
            boolean replaces = !name.endsWith(".zip");
            long first = replaces ? bytes + 4096 : 512;
            for (long size = first; size < 3 * bytes + 16384; size += bytes / 9 + 1) {
                Configuration disk =
                        Configuration.unix().toBuilder().setBlockSize(512).setMaxSize(size).build();
                try (FileSystem system = Jimfs.newFileSystem(disk)) {
                    Path path = system.getPath("/work", name);
                    if (replaces) {
                        model.save(path);
                    }
                    Map<String, Integer> before = digest(content(path));
                    try {
                        other.save(path);
                        held++;
                        assertNotEquals(before, digest(content(path)));
                    } catch (IOException e) {
                        full++;
                        assertTrue(e.getMessage().contains("cannot write " + path), e.getMessage());
                        assertEquals(before, digest(content(path)));
                    }
                    try (Stream<Path> files = Files.list(system.getPath("/work"))) {
                        assertEquals(
                                replaces || Files.exists(path) ? List.of(path) : List.of(),
                                files.toList());
                    }
                }
            }
        }
        assertTrue(full >= 3 && held >= 1, full + " full, " + held + " held");
    }

    private static Map<String, byte[]> content(Path path) throws IOException {
        Map<String, byte[]> content = new TreeMap<>();
        if (!Files.exists(path)) {
            return content;
        }
        try (Stream<Path> files = Files.walk(path)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                content.put(file.toString(), Files.readAllBytes(file));
            }
        }
        return content;
    }

    private static Map<String, Integer> digest(Map<String, byte[]> content) {
        Map<String, Integer> digest = new TreeMap<>();
        content.forEach((name, bytes) -> digest.put(name, Arrays.hashCode(bytes)));
        return digest;
    }

    @Test
    void predictsInManyThreads() throws Exception {
        try (ObjectDiscoveryModel model = random()) {
            Image image = image(9, 9, 1);
            DiscoveredObjects expected = model.predict(image);
            List<Thread> threads =
                    Stream.generate(
                                    () ->
                                            new Thread(
                                                    () -> {
                                                        for (int i = 0; i < 5; i++) {
                                                            assertArrayEquals(
                                                                    expected.slots(),
                                                                    model.predict(image).slots());
                                                        }
                                                    }))
                            .limit(4)
                            .toList();
            List<Throwable> failures = new java.util.concurrent.CopyOnWriteArrayList<>();
            threads.forEach(t -> t.setUncaughtExceptionHandler((thread, e) -> failures.add(e)));
            threads.forEach(Thread::start);
            for (Thread thread : threads) {
                thread.join();
            }
            assertEquals(List.of(), failures);
        }
    }

    @Test
    void leavesNothingBehind() {
        try (ObjectDiscoveryModel model = random()) {
            model.predict(image(9, 9, 1));
            int before = model.model().getNDManager().getManagedArrays().size();
            for (int i = 0; i < 3; i++) {
                model.predict(List.of(image(9, 9, i), image(5, 7, i)));
            }
            assertEquals(before, model.model().getNDManager().getManagedArrays().size());
            assertEquals(List.of(), model.predict(List.of()));
        }
    }

    /** A bit that is another in weights that are packed is found, or is of no consequence. */
    @Test
    void aChangedZipIsNoOtherModel() throws IOException {
        Path zip = folder.resolve("changed.zip");
        Image image = image(8, 8, 1);
        DiscoveredObjects expected;
        try (ObjectDiscoveryModel model = random()) {
            model.save(zip);
            expected = model.predict(image);
        }
        byte[] whole = Files.readAllBytes(zip);
        int found = 0;
        for (int at = 0; at < whole.length; at += 1 + whole.length / 50) {
            byte[] changed = whole.clone();
            changed[at] ^= 4;
            Files.write(zip, changed);
            try (ObjectDiscoveryModel model = ObjectDiscoveryModel.load(zip)) {
                assertSame(expected, model.predict(image));
            } catch (IOException e) {
                found++;
            }
        }
        assertTrue(found > 40, "found " + found);
    }
}
