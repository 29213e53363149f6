package org.slotwise.examples.spark;

import java.io.IOException;
import java.util.Iterator;
import org.apache.spark.TaskContext;
import org.apache.spark.api.java.function.MapPartitionsFunction;
import org.apache.spark.sql.Row;
import org.apache.spark.util.TaskCompletionListener;

/** A task: the pictures of a partition through the model of the JVM. */
final class Discovery implements MapPartitionsFunction<Row, Row> {

    private static final long serialVersionUID = 1;

    private final SharedModel model;
    private final int batchSize;
    private final long mostPixels;
    private final double leastScore;

    Discovery(SharedModel model, int batchSize, long mostPixels, double leastScore) {
        this.model = model;
        this.batchSize = batchSize;
        this.mostPixels = mostPixels;
        this.leastScore = leastScore;
    }

    @Override
    public Iterator<Row> call(Iterator<Row> encoded) throws IOException {
        PictureBatches batches =
                new PictureBatches(model.get(), encoded, batchSize, mostPixels, leastScore);
        // Also where the task fails, or nobody asks for its last row.
        TaskContext.get()
                .addTaskCompletionListener((TaskCompletionListener) task -> batches.close());
        return batches;
    }
}
