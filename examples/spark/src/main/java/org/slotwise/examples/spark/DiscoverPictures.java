package org.slotwise.examples.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.count;
import static org.apache.spark.sql.functions.size;
import static org.apache.spark.sql.functions.sum;
import static org.apache.spark.sql.functions.when;

import java.io.IOException;
import java.util.concurrent.Callable;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Encoders;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.SparkSession;
import org.slotwise.image.DiscoveredObjects;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Command;
import picocli.CommandLine.ExitCode;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.Spec;

/** Discovers the objects of pictures on any number of machines. */
@Command(
        name = "DiscoverPictures",
        description = {
            "Discovers the objects of pictures and writes them to Parquet: a row for each picture with"
                    + " path, width, height, error and objects, each with slot, score, area, box,"
                    + " mask (COCO's run lengths) and vector.",
            ""
        },
        exitCodeListHeading = "%nExit codes:%n",
        exitCodeList = {
            "0:All went well; single pictures may have an error in their row.",
            "1:Something failed, or all pictures did.",
            "2:An option is wrong."
        })
public final class DiscoverPictures implements Callable<Integer> {

    @Option(
            names = {"-h", "--help"},
            usageHelp = true,
            description = "Shows this.")
    private boolean help;

    @ArgGroup(multiplicity = "1")
    private Source source;

    @Option(
            names = "--column",
            paramLabel = "NAME",
            defaultValue = "image",
            description =
                    "The column of --parquet that has the pictures; ${DEFAULT-VALUE} by default.")
    private String column;

    @Option(
            names = "--model",
            paramLabel = "NAME|PATH",
            required = true,
            description =
                    "A model that comes with the library, a .zip that is sent to all machines, or a"
                            + " folder that all see.")
    private String model;

    @Option(
            names = "--out",
            paramLabel = "FOLDER",
            required = true,
            description = "What is written; it must not be there yet.")
    private String out;

    @Option(
            names = "--batch",
            defaultValue = "16",
            description =
                    "How many pictures go through the model at once; ${DEFAULT-VALUE} by default.")
    private int batch;

    @Option(
            names = "--max-pixels",
            defaultValue = "16777216",
            description =
                    "A picture with more is an error, and a batch ends where it has as many;"
                            + " ${DEFAULT-VALUE} by default.")
    private long maxPixels;

    @Option(
            names = "--least-score",
            defaultValue = "" + DiscoveredObjects.LEAST_SCORE,
            description =
                    "Objects of a lower score, 0 to 1, are left out; ${DEFAULT-VALUE} by default.")
    private double leastScore;

    @Spec private CommandSpec spec;

    /** Where the pictures are. */
    static final class Source {

        @Option(
                names = "--folder",
                required = true,
                description = "A folder of pictures, with those in it.")
        private String folder;

        @Option(
                names = "--shards",
                required = true,
                description = "WebDataset's tar archives: a folder, or a pattern.")
        private String shards;

        @Option(
                names = "--parquet",
                required = true,
                description = "Parquet files: a folder, a file, or a pattern.")
        private String parquet;

        private Dataset<Row> read(SparkSession spark, String column) throws IOException {
            if (folder != null) {
                return EncodedPictures.ofFolder(spark, folder);
            }
            return shards != null
                    ? EncodedPictures.ofShards(spark, shards)
                    : EncodedPictures.ofParquet(spark, parquet, column);
        }
    }

    /**
     * Runs the job in the session that {@code spark-submit} describes.
     *
     * @param args options; {@code --help} lists them
     */
    public static void main(String[] args) {
        Program.main(new DiscoverPictures(), args);
    }

    @Override
    public Integer call() throws IOException {
        Program.require(spec.commandLine(), batch > 0, "--batch must be at least 1", batch);
        Program.require(
                spec.commandLine(), maxPixels > 0, "--max-pixels must be at least 1", maxPixels);
        Program.require(
                spec.commandLine(),
                leastScore >= 0 && leastScore <= 1,
                "--least-score must be 0 to 1",
                leastScore);
        SparkSession spark = Program.session("DiscoverPictures");
        Program.requireAbsent(spec.commandLine(), spark, out);
        Discovery discovery =
                new Discovery(SharedModel.of(spark, model), batch, maxPixels, leastScore);
        source.read(spark, column)
                .mapPartitions(discovery, Encoders.row(DiscoveredRows.SCHEMA))
                .write()
                .parquet(out);
        return report(spark.read().schema(DiscoveredRows.SCHEMA).parquet(out));
    }

    /** Counts what was written; masks and vectors are not read for it. */
    private int report(Dataset<Row> written) {
        Row counts =
                written.select(
                                count("*"),
                                count("error"),
                                sum(when(col("error").isNull(), size(col("objects")))))
                        .first();
        long pictures = counts.getLong(0);
        long errors = counts.getLong(1);
        long objects = counts.isNullAt(2) ? 0 : counts.getLong(2);
        spec.commandLine()
                .getOut()
                .printf("%d pictures, %d with an error, %d objects%n", pictures, errors, objects);
        return errors == pictures ? ExitCode.SOFTWARE : ExitCode.OK;
    }
}
