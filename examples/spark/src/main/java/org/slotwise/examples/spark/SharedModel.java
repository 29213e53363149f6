package org.slotwise.examples.spark;

import java.io.FileNotFoundException;
import java.io.IOException;
import java.io.Serializable;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import org.apache.hadoop.conf.Configuration;
import org.apache.spark.SparkFiles;
import org.apache.spark.sql.SparkSession;
import org.slotwise.model.ObjectDiscoveryModel;
import org.slotwise.model.PictureModel;

/**
 * Where a model is found, on whatever machine: weights stay out of tasks, and each JVM loads them
 * once, for all its threads and tasks.
 *
 * @param kind how it got there
 * @param where its name, file or folder
 */
record SharedModel(Kind kind, String where) implements Serializable {

    private static final long serialVersionUID = 1;

    private static final Map<SharedModel, PictureModel> LOADED = new HashMap<>();

    /** How a model gets to a machine. */
    enum Kind {
        /** In the library's jar. */
        SHIPPED,
        /** As a .zip that Spark hands to all. */
        SENT,
        /** In a folder that all see under the same path. */
        SEEN
    }

    /**
     * The model of a name: a shipped one's, a .zip that Spark can reach, or a folder.
     *
     * @throws IOException if there is no such model
     */
    static SharedModel of(SparkSession spark, String name) throws IOException {
        if (ObjectDiscoveryModel.shippedNames().contains(name)) {
            return new SharedModel(Kind.SHIPPED, name);
        }
        Configuration conf = spark.sparkContext().hadoopConfiguration();
        var path = new org.apache.hadoop.fs.Path(name);
        if (!path.getFileSystem(conf).exists(path)) {
            throw new FileNotFoundException(
                    "--model must be a folder, a .zip or one of "
                            + (ObjectDiscoveryModel.shippedNames() + ", got " + name));
        }
        if (!path.getName().endsWith(".zip")) {
            return new SharedModel(Kind.SEEN, path.toUri().getPath());
        }
        spark.sparkContext().addFile(path.getFileSystem(conf).makeQualified(path).toString());
        return new SharedModel(Kind.SENT, path.getName());
    }

    /**
     * The model of this JVM, loaded if this is the first call. It lives as long as the JVM.
     *
     * @throws IOException if it cannot be read
     */
    PictureModel get() throws IOException {
        synchronized (LOADED) {
            PictureModel model = LOADED.get(this);
            if (model == null) {
                model =
                        switch (kind) {
                            case SHIPPED -> ObjectDiscoveryModel.shipped(where);
                            case SENT -> PictureModel.load(Path.of(SparkFiles.get(where)));
                            case SEEN -> PictureModel.load(Path.of(where));
                        };
                LOADED.put(this, model);
            }
            return model;
        }
    }
}
