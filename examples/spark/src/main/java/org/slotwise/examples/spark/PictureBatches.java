package org.slotwise.examples.spark;

import ai.djl.inference.Predictor;
import ai.djl.modality.cv.Image;
import ai.djl.translate.TranslateException;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Queue;
import org.apache.spark.sql.Row;
import org.slotwise.image.DiscoveredObjects;
import org.slotwise.model.PictureModel;

/**
 * Rows of {@link EncodedPictures} in, those of {@link DiscoveredRows} out, in the same order: only
 * a batch of them is in memory. What does not go as a batch goes picture by picture, so that a bad
 * one spoils no other.
 */
final class PictureBatches implements Iterator<Row>, AutoCloseable {

    private final Predictor<Image, DiscoveredObjects> predictor;
    private final Iterator<Row> encoded;
    private final int batchSize;
    private final long mostPixels;
    private final double leastScore;
    private final Queue<Row> ready = new ArrayDeque<>();

    /**
     * Starts with the first picture that is asked for.
     *
     * @param batchSize the most pictures of a batch
     * @param mostPixels the most pixels of a picture; a batch ends where it has as many
     * @param leastScore slots of a lower score are no objects
     */
    PictureBatches(
            PictureModel model,
            Iterator<Row> encoded,
            int batchSize,
            long mostPixels,
            double leastScore) {
        predictor = model.newPredictor();
        this.encoded = encoded;
        this.batchSize = batchSize;
        this.mostPixels = mostPixels;
        this.leastScore = leastScore;
    }

    @Override
    public boolean hasNext() {
        return !ready.isEmpty() || encoded.hasNext();
    }

    @Override
    public Row next() {
        if (!hasNext()) {
            throw new NoSuchElementException();
        }
        if (ready.isEmpty()) {
            readBatch();
        }
        return ready.remove();
    }

    /** Up to the end of a batch, or to a bad picture. */
    private void readBatch() {
        List<DecodedPicture> batch = new ArrayList<>();
        Row bad = null;
        long pixels = 0;
        while (bad == null
                && batch.size() < batchSize
                && pixels < mostPixels
                && encoded.hasNext()) {
            Row row = encoded.next();
            String path = row.getString(0);
            byte[] bytes = row.getAs(1);
            try {
                if (bytes == null) {
                    String why = row.isNullAt(2) ? "there is no picture" : row.getString(2);
                    throw new IOException(why);
                }
                DecodedPicture picture = DecodedPicture.of(path, bytes, mostPixels);
                pixels += picture.pixels();
                batch.add(picture);
            } catch (IOException | RuntimeException e) {
                bad = DiscoveredRows.failed(path, message(e));
            }
        }
        discover(batch);
        if (bad != null) {
            ready.add(bad);
        }
    }

    private void discover(List<DecodedPicture> batch) {
        if (batch.isEmpty()) {
            return;
        }
        List<DiscoveredObjects> found;
        try {
            found = predictor.batchPredict(batch.stream().map(DecodedPicture::image).toList());
        } catch (TranslateException | RuntimeException e) {
            if (batch.size() == 1) {
                ready.add(DiscoveredRows.failed(batch.get(0).path(), message(e)));
            } else {
                batch.forEach(picture -> discover(List.of(picture)));
            }
            return;
        }
        for (int i = 0; i < found.size(); i++) {
            ready.add(DiscoveredRows.of(batch.get(i).path(), found.get(i).objects(leastScore)));
        }
    }

    private static String message(Exception e) {
        return e instanceof IOException && e.getMessage() != null ? e.getMessage() : e.toString();
    }

    /** Frees what the engine holds for these pictures. */
    @Override
    public void close() {
        predictor.close();
    }
}
