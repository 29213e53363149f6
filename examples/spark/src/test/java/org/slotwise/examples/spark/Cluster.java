package org.slotwise.examples.spark;

import java.io.IOException;
import java.io.Reader;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Properties;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import org.apache.spark.sql.SparkSession;

/** Sessions with the settings of spark.conf, and with the jars of target as a job brings them. */
final class Cluster {

    private Cluster() {}

    /** Two workers, which are JVMs of their own with two cores and 1 GB each. */
    static SparkSession start() throws IOException {
        Properties settings = new Properties();
        try (Reader reader = Files.newBufferedReader(Path.of("spark.conf"))) {
            settings.load(reader);
        }
        SparkSession.Builder session =
                SparkSession.builder()
                        .master("local-cluster[2,2,1024]")
                        .appName("test")
                        .config("spark.jars", jars())
                        .config("spark.ui.enabled", false)
                        .config("spark.log.level", "ERROR")
                        .config("spark.driver.host", "127.0.0.1")
                        .config("spark.driver.bindAddress", "127.0.0.1")
                        .config("spark.sql.shuffle.partitions", 4);
        settings.forEach((name, value) -> session.config((String) name, (String) value));
        return session.getOrCreate();
    }

    private static String jars() throws IOException {
        try (Stream<Path> job = Files.list(Path.of("target"));
                Stream<Path> libraries = Files.list(Path.of("target", "lib"))) {
            return Stream.concat(job, libraries)
                    .filter(path -> path.toString().endsWith(".jar"))
                    .map(path -> path.toAbsolutePath().toString())
                    .collect(Collectors.joining(","));
        }
    }
}
