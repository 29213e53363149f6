package org.slotwise.examples.pictures;

import ai.djl.training.Trainer;
import ai.djl.training.listener.TrainingListenerAdapter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import org.slotwise.model.SegmentationScores;
import org.slotwise.model.TrainingProgress;
import org.slotwise.training.CsvHistory;
import org.slotwise.training.ScalarLog;
import org.slotwise.training.TensorBoardEvents;

/**
 * Where the numbers of a training go: a table, TensorBoard, both or neither. They are opened when
 * the training has begun: of one that is refused, since its checkpoint is of another, they stay as
 * they are.
 */
final class Histories extends TrainingListenerAdapter implements AutoCloseable {

    private final @Nullable Path csv;
    private final @Nullable Path tensorBoard;
    private final boolean goOn;
    private final long after;
    private final List<ScalarLog> logs = new ArrayList<>();

    /**
     * Notes what is asked for.
     *
     * @param csv the table; null for none
     * @param tensorBoard the folder of events; null for none
     * @param goOn whether a training is taken up again
     * @param after the last step that will not be taken again
     */
    Histories(@Nullable Path csv, @Nullable Path tensorBoard, boolean goOn, long after) {
        this.csv = csv;
        this.tensorBoard = tensorBoard;
        this.goOn = goOn;
        this.after = after;
    }

    /** The last step that will not be taken again. */
    long after() {
        return after;
    }

    /** Opens what is asked for. */
    @Override
    public void onTrainingBegin(Trainer trainer) {
        try {
            if (csv != null) {
                logs.add(goOn ? CsvHistory.resume(csv, after) : CsvHistory.create(csv));
            }
            if (tensorBoard != null) {
                logs.add(
                        goOn
                                ? TensorBoardEvents.resume(tensorBoard, after)
                                : TensorBoardEvents.create(tensorBoard));
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    /** Writes how a training goes. */
    void add(TrainingProgress progress) {
        Map<String, Double> values = new LinkedHashMap<>();
        values.put("loss", progress.loss());
        values.put("gradient_norm", progress.gradientNorm());
        values.put("learning_rate", progress.learningRate());
        SegmentationScores scores = progress.scores();
        if (scores != null) {
            values.put("fg_ari", scores.foregroundAri());
            values.put("ari", scores.ari());
            values.put("mbo", scores.meanBestOverlap());
            values.put("miou", scores.meanIou());
            values.put("mse", scores.error());
        }
        try {
            for (ScalarLog log : logs) {
                log.write(progress.step(), values);
            }
        } catch (IOException e) {
            throw new UncheckedIOException(e.getMessage(), e);
        }
    }

    @Override
    public void close() throws IOException {
        for (ScalarLog log : logs) {
            log.close();
        }
    }
}
