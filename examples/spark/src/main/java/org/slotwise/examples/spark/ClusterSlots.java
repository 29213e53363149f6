package org.slotwise.examples.spark;

import static org.apache.spark.sql.functions.broadcast;
import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.explode;
import static org.apache.spark.sql.functions.max;
import static org.apache.spark.sql.functions.min;
import static org.apache.spark.sql.functions.size;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import org.apache.spark.ml.clustering.KMeans;
import org.apache.spark.ml.clustering.KMeansModel;
import org.apache.spark.ml.functions;
import org.apache.spark.ml.linalg.Vector;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Clusters the slots of discovered objects into a library. */
@Command(
        name = "ClusterSlots",
        description = {
            "Clusters the slots that DiscoverPictures wrote by k-means, and writes two tables:"
                    + " objects (path, slot, cluster) and centres (cluster, objects, centre).",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {"0:All went well.", "1:Something failed.", "2:An option is wrong."})
public final class ClusterSlots implements Callable<Integer> {

    private static final StructType CENTRES =
            new StructType()
                    .add("cluster", DataTypes.IntegerType)
                    .add("centre", DataTypes.createArrayType(DataTypes.DoubleType, false));

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this.")
    private boolean help;

    @Option(
            names = "--discovered",
            paramLabel = "FOLDER",
            required = true,
            description = "What DiscoverPictures wrote.")
    private String discovered;

    @Option(
            names = "--clusters",
            paramLabel = "K",
            required = true,
            description = "How many clusters; there are fewer where fewer slots differ.")
    private int clusters;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            required = true,
            description = "What is written; it must not be there yet.")
    private String out;

    @Option(
            names = "--iterations",
            defaultValue = "20",
            description = "The most steps of k-means; ${DEFAULT-VALUE} by default.")
    private int iterations;

    @Option(
            names = "--seed",
            defaultValue = "0",
            description = "Which starting centres; ${DEFAULT-VALUE} by default.")
    private long seed;

    @Spec private CommandSpec spec;

    /**
     * Runs the job in the session that {@code spark-submit} describes.
     *
     * @param args options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new ClusterSlots(), args);
    }

    @Override
    public Integer call() throws IOException {
        Program.require(
                spec.commandLine(), clusters > 1, "--clusters must be at least 2", clusters);
        Program.require(
                spec.commandLine(), iterations > 0, "--iterations must be at least 1", iterations);
        SparkSession spark = Program.session("ClusterSlots");
        Program.requireAbsent(spec.commandLine(), spark, out);
        Dataset<Row> slots = slots(spark).cache();
        long all = requireOneModel(slots);
        KMeansModel library =
                new KMeans()
                        .setK(clusters)
                        .setSeed(seed)
                        .setMaxIter(iterations)
                        .setFeaturesCol("features")
                        .setPredictionCol("cluster")
                        .fit(slots);
        Dataset<Row> objects = library.transform(slots).select("path", "slot", "cluster").cache();
        objects.write().parquet(out + "/objects");
        Dataset<Row> sizes = objects.groupBy("cluster").agg(count("*").as("objects"));
        centres(spark, library)
                .join(broadcast(sizes), "cluster")
                .select("cluster", "objects", "centre")
                .coalesce(1)
                .write()
                .parquet(out + "/centres");
        spec.commandLine()
                .getOut()
                .printf("%d objects in %d clusters%n", all, library.clusterCenters().length);
        return ExitCode.OK;
    }

    /** The slots that are numbers: a picture of nothing but NaN moves no centre. */
    private Dataset<Row> slots(SparkSession spark) {
        return spark.read()
                .schema(DiscoveredRows.SCHEMA)
                .parquet(discovered)
                .select(col("path"), explode(col("objects")).as("object"))
                .select("path", "object.slot", "object.vector")
                .filter("size(vector) > 0 AND forall(vector, x -> abs(x) < float('inf'))")
                .withColumn("features", functions.array_to_vector(col("vector")));
    }

    /** How many slots there are; those of several models have no distance from each other. */
    private long requireOneModel(Dataset<Row> slots) {
        Row row = slots.agg(count("*"), min(size(col("vector"))), max(size(col("vector")))).first();
        Program.require(
                spec.commandLine(), row.getLong(0) > 0, "--discovered must have slots", "none");
        Program.require(
                spec.commandLine(),
                row.getInt(1) == row.getInt(2),
                "--discovered must be of one model",
                "slots of " + row.getInt(1) + " to " + row.getInt(2) + " numbers");
        return row.getLong(0);
    }

    private static Dataset<Row> centres(SparkSession spark, KMeansModel library) {
        List<Row> rows = new ArrayList<>();
        for (Vector centre : library.clusterCenters()) {
            rows.add(RowFactory.create(rows.size(), centre.toArray()));
        }
        return spark.createDataFrame(rows, CENTRES);
    }
}
