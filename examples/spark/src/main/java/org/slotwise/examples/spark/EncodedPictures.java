package org.slotwise.examples.spark;

import static org.apache.spark.sql.functions.col;
import static org.apache.spark.sql.functions.concat;
import static org.apache.spark.sql.functions.lit;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.GlobFilter;
import org.apache.hadoop.fs.LocatedFileStatus;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathFilter;
import org.apache.hadoop.fs.RemoteIterator;
import org.apache.spark.api.java.JavaRDD;
import org.apache.spark.api.java.JavaSparkContext;
import org.apache.spark.sql.Column;
import org.apache.spark.sql.Dataset;
import org.apache.spark.sql.Row;
import org.apache.spark.sql.RowFactory;
import org.apache.spark.sql.SparkSession;
import org.apache.spark.sql.types.DataType;
import org.apache.spark.sql.types.DataTypes;
import org.apache.spark.sql.types.StructType;

/**
 * Pictures as their files have them, from wherever they lie. Rows:
 *
 * <pre>{@code
 * path     string   the file; in a shard file#name, in Parquet file#row
 * content  binary   its bytes, or null
 * error    string   why there are none, or null
 * }</pre>
 */
final class EncodedPictures {

    static final StructType SCHEMA =
            new StructType()
                    .add("path", DataTypes.StringType)
                    .add("content", DataTypes.BinaryType)
                    .add("error", DataTypes.StringType);

    private static final String ENDINGS = "*.{png,PNG,jpg,JPG,jpeg,JPEG,bmp,BMP,gif,GIF}";

    /** More a picture of a file does not have; Spark could not hold a file of 2 GiB in a row. */
    private static final long MOST_BYTES = 1 << 28;

    private static final Column NONE = lit(null).cast(DataTypes.StringType);

    private EncodedPictures() {}

    /** The pictures of a folder and of those in it. */
    static Dataset<Row> ofFolder(SparkSession spark, String folder) throws IOException {
        Dataset<Row> files =
                spark.read()
                        .format("binaryFile")
                        .option("recursiveFileLookup", true)
                        .option("pathGlobFilter", ENDINGS)
                        .load(folder);
        // Spark looks at the length before it reads, but only in a filter.
        Column fits = col("length").leq(MOST_BYTES);
        Column why = concat(col("length"), lit(" bytes are more than " + MOST_BYTES));
        Column nothing = lit(null).cast(DataTypes.BinaryType).as("content");
        return files.filter(fits)
                .select(col("path"), col("content"), NONE.as("error"))
                .unionAll(files.filter(fits.unary_$bang()).select(col("path"), nothing, why))
                .unionAll(spark.createDataFrame(empty(spark, folder), SCHEMA));
    }

    /** Spark passes files without a byte over, silently. */
    private static List<Row> empty(SparkSession spark, String folder) throws IOException {
        Path top = new Path(folder);
        FileSystem system = top.getFileSystem(spark.sparkContext().hadoopConfiguration());
        FileStatus[] parents = system.globStatus(top);
        PathFilter pictures = new GlobFilter(ENDINGS);
        List<Row> rows = new ArrayList<>();
        for (FileStatus parent : parents == null ? new FileStatus[0] : parents) {
            RemoteIterator<LocatedFileStatus> files = system.listFiles(parent.getPath(), true);
            while (files.hasNext()) {
                FileStatus file = files.next();
                if (file.getLen() == 0 && pictures.accept(file.getPath())) {
                    String path = file.getPath().toString();
                    rows.add(RowFactory.create(path, null, "the file is empty"));
                }
            }
        }
        return rows;
    }

    /**
     * The pictures of WebDataset's shards, a shard being read from its start to its end by one
     * task.
     *
     * @param shards a folder of tar archives, in GZIP or not, or a pattern such as {@code
     *     s3a://bucket/train-*.tar}
     */
    static Dataset<Row> ofShards(SparkSession spark, String shards) {
        JavaRDD<Row> rows =
                JavaSparkContext.fromSparkContext(spark.sparkContext())
                        .binaryFiles(shards)
                        .filter(file -> TarPictures.isShard(file._1))
                        .flatMap(file -> new TarPictures(file._1, file._2.open()));
        return spark.createDataFrame(rows, SCHEMA);
    }

    /**
     * The pictures in a column of Parquet files.
     *
     * @param column of bytes, or of Hugging Face's form: {@code struct<bytes: binary, path:
     *     string>}
     * @throws IllegalArgumentException if there is no such column
     */
    static Dataset<Row> ofParquet(SparkSession spark, String files, String column) {
        Dataset<Row> rows = spark.read().parquet(files);
        String bytes = bytes(rows.schema(), column);
        Column path = concat(col("_metadata.file_path"), lit("#"), col("_metadata.row_index"));
        return rows.select(path.as("path"), col(bytes).as("content"), NONE.as("error"));
    }

    private static String bytes(StructType schema, String column) {
        if (schema.getFieldIndex(column).isDefined()) {
            DataType type = schema.apply(column).dataType();
            if (type.equals(DataTypes.BinaryType)) {
                return "`" + column + "`";
            }
            if (type instanceof StructType struct
                    && struct.getFieldIndex("bytes").isDefined()
                    && struct.apply("bytes").dataType().equals(DataTypes.BinaryType)) {
                return "`" + column + "`.bytes";
            }
        }
        throw new IllegalArgumentException(
                ("--column must be one of bytes, or of a struct with bytes, got " + column)
                        + (" of " + schema.simpleString()));
    }
}
