package org.slotwise.internal;

/** What this library declares as optional: who uses it adds it to the class path. */
public enum OptionalArtifact {
    /** Reads HDF5. */
    JHDF("io.jhdf:jhdf", "io.jhdf.HdfFile"),
    /** Reads the messages in TFRecord files. */
    PROTOBUF("com.google.protobuf:protobuf-java", "com.google.protobuf.CodedInputStream"),
    /** Reads Parquet. */
    DUCKDB("org.duckdb:duckdb_jdbc", "org.duckdb.DuckDBDriver"),
    /** Draws a bar. */
    PROGRESSBAR("me.tongfei:progressbar", "me.tongfei.progressbar.ProgressBar"),
    /** Reads pictures in WebP. */
    WEBP(
            "com.twelvemonkeys.imageio:imageio-webp",
            "com.twelvemonkeys.imageio.plugins.webp.WebPImageReaderSpi"),
    /** Runs networks from ONNX files. */
    ONNX("ai.djl.onnxruntime:onnxruntime-engine", "ai.djl.onnxruntime.engine.OrtEngineProvider");

    private final String coordinates;
    private final String type;

    OptionalArtifact(String coordinates, String type) {
        this.coordinates = coordinates;
        this.type = type;
    }

    /**
     * Its name for Maven.
     *
     * @return group and artifact
     */
    public String coordinates() {
        return coordinates;
    }

    /**
     * Whether it is there.
     *
     * @return true if its classes can be loaded
     */
    public boolean isThere() {
        try {
            Class.forName(type, false, OptionalArtifact.class.getClassLoader());
            return true;
        } catch (ClassNotFoundException | LinkageError e) {
            return false;
        }
    }

    /**
     * Requires it to be there.
     *
     * @param who the class that complains
     * @param what what needs it
     * @throws IllegalStateException if it is not
     */
    public void require(String who, String what) {
        if (!isThere()) {
            throw missing(who, what);
        }
    }

    /**
     * The exception for its absence.
     *
     * @param who the class that complains
     * @param what what needs it
     * @return an exception that says what to add
     */
    public IllegalStateException missing(String who, String what) {
        return new IllegalStateException(
                who + ": " + what + ": add " + coordinates + " to the class path");
    }
}
