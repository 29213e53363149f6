package org.slotwise.examples.spark;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNotNull;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.functions;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.slotwise.gnm.GnmConfiguration;
import org.slotwise.model.GnmModel;
import org.slotwise.model.ObjectDiscoveryModel;

/** Both jobs on a cluster whose workers are JVMs of their own. */
class LocalClusterIT {

    private static final int PICTURES = 200;
    private static final String BROKEN = "017.png";
    private static final String EMPTY = "113.png";
    private static final Set<String> BAD = Set.of(BROKEN, EMPTY);

    @TempDir private static Path folder;

    private static SparkSession spark;
    private static ObjectDiscoveryModel model;
    private static Map<String, byte[]> pictures;

    @BeforeAll
    static void start() throws IOException {
        pictures = Pictures.png(PICTURES);
        pictures.compute(BROKEN, (name, whole) -> Arrays.copyOf(whole, whole.length / 2));
        pictures.put(EMPTY, new byte[0]);
        Path inner = Files.createDirectories(folder.resolve("pictures").resolve("more"));
        for (Map.Entry<String, byte[]> picture : pictures.entrySet()) {
            boolean first = picture.getKey().startsWith("0");
            Path parent = first ? inner.getParent() : inner;
            Files.write(parent.resolve(picture.getKey()), picture.getValue());
        }
        Files.writeString(inner.resolve("readme.txt"), "no picture");
        model = ObjectDiscoveryModel.shipped("multi-dsprites");
        model.save(folder.resolve("model.zip"));
        spark = Cluster.start();
    }

    @AfterAll
    static void end() {
        if (spark != null) {
            spark.stop();
        }
        if (model != null) {
            model.close();
        }
    }

    private static String at(String name) {
        return folder.resolve(name).toString();
    }

    /** All pictures have their row, and all rows are right. */
    private static void check(String written, double tolerance) throws IOException {
        List<Row> rows = spark.read().parquet(at(written)).collectAsList();
        Set<String> names = new HashSet<>();
        for (Row row : rows) {
            String path = row.getString(0);
            String name = path.substring(Math.max(path.lastIndexOf('/'), path.indexOf('#')) + 1);
            names.add(name);
            if (BAD.contains(name)) {
                assertFalse(row.getString(3).isEmpty(), path);
                assertTrue(row.isNullAt(4), path);
            } else {
                LocalAnswers.check(model, pictures.get(name), row, tolerance);
            }
        }
        assertEquals(pictures.keySet(), names);
        assertEquals(PICTURES, rows.size());
    }

    @Test
    void aFolderIsDiscoveredAndItsSlotsAreClustered() throws IOException {
        String[] discover = {
            "--folder",
            at("pictures"),
            "--model",
            "multi-dsprites",
            "--out",
            at("found"),
            "--batch",
            "1"
        };
        assertEquals(0, Program.run(new DiscoverPictures(), discover));
        check("found", LocalAnswers.SAME_BATCHES);
        assertEquals(2, Program.run(new DiscoverPictures(), discover), "it is there");

        String[] cluster = {"--discovered", at("found"), "--clusters", "5", "--out", at("library")};
        assertEquals(0, Program.run(new ClusterSlots(), cluster));
        checkLibrary();
    }

    /** Each object is in the cluster whose centre is the nearest. */
    private static void checkLibrary() {
        Map<Integer, List<Double>> centres = new TreeMap<>();
        Map<Integer, Long> sizes = new TreeMap<>();
        for (Row row : spark.read().parquet(at("library/centres")).collectAsList()) {
            centres.put(row.getInt(0), row.getList(2));
            sizes.put(row.getInt(0), row.getLong(1));
        }
        assertEquals(Set.of(0, 1, 2, 3, 4), centres.keySet());
        Map<Integer, Long> found = new TreeMap<>();
        List<Row> objects =
                spark.read()
                        .parquet(at("found"))
                        .select(functions.col("path"), functions.explode(functions.col("objects")))
                        .select("path", "col.slot", "col.vector")
                        .join(
                                spark.read().parquet(at("library/objects")),
                                new String[] {"path", "slot"})
                        .collectAsList();
        for (Row object : objects) {
            List<Float> vector = object.getList(2);
            int cluster = object.getInt(3);
            double own = distance(vector, centres.get(cluster));
            centres.values().forEach(c -> assertTrue(own <= distance(vector, c) * (1 + 1e-9)));
            found.merge(cluster, 1L, Long::sum);
        }
        assertEquals(sizes, found);
        assertTrue(objects.size() > PICTURES, objects.size() + " objects");
    }

    private static double distance(List<Float> vector, List<Double> centre) {
        double sum = 0;
        for (int d = 0; d < vector.size(); d++) {
            sum += Math.pow(vector.get(d) - centre.get(d), 2);
        }
        return sum;
    }

    @Test
    void shardsAreDiscoveredWithAModelThatIsSent() throws IOException {
        Map<String, byte[]> first = new TreeMap<>(pictures);
        Map<String, byte[]> second = new TreeMap<>(pictures);
        first.keySet().removeIf(name -> !name.startsWith("0"));
        second.keySet().removeIf(name -> name.startsWith("0"));
        Path shards = Files.createDirectories(folder.resolve("shards"));
        Files.write(shards.resolve("0.tar"), Tar.of(first));
        Files.write(shards.resolve("1.tar.gz"), Tar.packed(Tar.of(second)));
        Files.writeString(shards.resolve("index.json"), "{}");
        String[] discover = {
            "--shards", at("shards"), "--model", at("model.zip"), "--out", at("sharded")
        };
        assertEquals(0, Program.run(new DiscoverPictures(), discover));
        check("sharded", LocalAnswers.OTHER_BATCHES);
    }

    /** A model of another kind is sent as well. */
    @Test
    void countedObjectsAreDiscovered() throws IOException {
        Path few = Files.createDirectories(folder.resolve("few"));
        Map<String, byte[]> first = new TreeMap<>(pictures);
        first.keySet().removeIf(name -> name.compareTo("008.png") > 0);
        for (Map.Entry<String, byte[]> picture : first.entrySet()) {
            Files.write(few.resolve(picture.getKey()), picture.getValue());
        }
        try (GnmModel counting = GnmModel.create(GnmConfiguration.small(32), 3)) {
            counting.save(folder.resolve("counting.zip"));
            String[] discover = {
                "--folder",
                at("few"),
                "--model",
                at("counting.zip"),
                "--out",
                at("counted"),
                "--batch",
                "1"
            };
            assertEquals(0, Program.run(new DiscoverPictures(), discover));
            List<Row> rows = spark.read().parquet(at("counted")).collectAsList();
            assertEquals(first.size(), rows.size());
            for (Row row : rows) {
                String path = row.getString(0);
                byte[] picture = first.get(path.substring(path.lastIndexOf('/') + 1));
                LocalAnswers.check(counting, picture, row, LocalAnswers.SAME_BATCHES);
            }
        }
    }

    @Test
    void parquetIsDiscovered() throws IOException {
        spark.createDataFrame(Pictures.rows(pictures), EncodedPictures.SCHEMA)
                .selectExpr("struct(content AS bytes, path) AS image")
                .coalesce(1)
                .write()
                .parquet(at("images"));
        String[] discover = {
            "--parquet", at("images"), "--model", "multi-dsprites", "--out", at("columns")
        };
        assertEquals(0, Program.run(new DiscoverPictures(), discover));
        List<Row> rows = spark.read().parquet(at("columns")).collectAsList();
        List<byte[]> inOrder = List.copyOf(pictures.values());
        List<String> names = List.copyOf(pictures.keySet());
        assertEquals(PICTURES, rows.size());
        for (Row row : rows) {
            String path = row.getString(0);
            int number = Integer.parseInt(path.substring(path.indexOf('#') + 1));
            if (BAD.contains(names.get(number))) {
                assertNotNull(row.getString(3));
            } else {
                LocalAnswers.check(model, inOrder.get(number), row, LocalAnswers.OTHER_BATCHES);
            }
        }
    }

    @Test
    void whatIsWrongIsSaidInALine() throws IOException {
        String out = at("never");
        refused(2, "--batch must be at least 1, got 0", "--folder", "x", "--batch", "0");
        refused(2, "mutually exclusive", "--folder", "x", "--shards", "y");
        refused(2, "Missing required", "--batch", "2");
        refused(1, "PATH_NOT_FOUND", "--folder", at("none"));
        refused(1, "--column must be one of bytes", "--parquet", images(), "--column", "none");
        assertFalse(Files.exists(Path.of(out)));
        String error =
                error(
                        1,
                        new DiscoverPictures(),
                        List.of("--folder", at("pictures"), "--model", "none", "--out", out));
        assertTrue(error.contains("[multi-dsprites, tetrominoes], got none"), error);
        List<String> cluster = List.of("--discovered", "x", "--clusters", "1", "--out", out);
        assertTrue(error(2, new ClusterSlots(), cluster).contains("--clusters must be at least 2"));
    }

    private static String images() {
        String file = at("small");
        spark.range(3).write().mode("overwrite").parquet(file);
        return file;
    }

    private static void refused(int exit, String why, String... options) {
        List<String> args = new java.util.ArrayList<>(List.of(options));
        args.addAll(List.of("--model", "tetrominoes", "--out", at("never")));
        String error = error(exit, new DiscoverPictures(), args);
        assertTrue(error.contains(why), error);
    }

    /** What is written to the standard error. */
    private static String error(int exit, Object job, List<String> args) {
        PrintStream before = System.err;
        ByteArrayOutputStream bytes = new ByteArrayOutputStream();
        try {
            System.setErr(new PrintStream(bytes, true, StandardCharsets.UTF_8));
            assertEquals(exit, Program.run(job, args.toArray(new String[0])));
        } finally {
            System.setErr(before);
        }
        return bytes.toString(StandardCharsets.UTF_8);
    }
}
