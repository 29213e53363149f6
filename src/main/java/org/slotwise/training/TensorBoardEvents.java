package org.slotwise.training;

import ai.djl.modality.cv.Image;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.time.Instant;
import java.time.InstantSource;
import java.util.Locale;
import java.util.Map;
import org.slotwise.internal.Check;

/**
 * The numbers and pictures of a training as an event file of TensorBoard's, which shows a folder of
 * them while the training runs: {@code tensorboard --logdir runs}.
 *
 * <p>A training that is taken up again writes a further file into the same folder, which tells
 * TensorBoard to forget the steps that are taken again. Of names such as "train/loss" TensorBoard
 * makes groups. Events are appended whole; a process that is killed leaves at most a last one
 * without its end, which TensorBoard passes over. Several threads may write.
 */
public final class TensorBoardEvents implements ScalarLog {

    private static final String WHO = "TensorBoardEvents";

    // Fields: see EventMessage.
    private static final int WALL_TIME = 1;
    private static final int STEP = 2;
    private static final int FILE_VERSION = 3;
    private static final int SUMMARY = 5;
    private static final int SESSION_LOG = 7;
    private static final int VALUE = 1;
    private static final int TAG = 1;
    private static final int SIMPLE_VALUE = 2;
    private static final int IMAGE = 4;
    private static final int RGB = 3;

    private final AppendedFile file;
    private final InstantSource clock;

    private TensorBoardEvents(AppendedFile file, InstantSource clock) throws IOException {
        this.file = file;
        this.clock = clock;
        append(event().text(FILE_VERSION, "brain.Event:2"));
    }

    /**
     * Begins a training.
     *
     * @param folder where the event file goes, one for each training; it is made if it is not
     *     there, the folder that it is in must be
     * @return the event file, without events
     * @throws IOException if it cannot be written; the message names it
     * @throws IllegalArgumentException if the path is empty
     */
    public static TensorBoardEvents create(Path folder) throws IOException {
        return create(folder, InstantSource.system());
    }

    static TensorBoardEvents create(Path folder, InstantSource clock) throws IOException {
        Check.option(!folder.toString().isEmpty(), WHO + ": folder must have a name, got none");
        try {
            if (!Files.isDirectory(folder)) {
                Files.createDirectory(folder);
            }
        } catch (IOException e) {
            throw new IOException(WHO + ": cannot make the folder " + folder + ": " + e, e);
        }
        while (true) {
            // In the order of their names TensorBoard reads the files.
            Instant now = clock.instant();
            String name =
                    String.format(
                            Locale.ROOT,
                            "events.out.tfevents.%010d.%09d.slotwise",
                            now.getEpochSecond(),
                            now.getNano());
            try {
                return new TensorBoardEvents(
                        new AppendedFile(folder.resolve(name), StandardOpenOption.CREATE_NEW),
                        clock);
            } catch (IOException e) {
                if (!(e.getCause() instanceof FileAlreadyExistsException)) {
                    throw new IOException(WHO + ": " + e.getMessage(), e);
                }
            }
        }
    }

    /**
     * Goes on with a training, or begins one.
     *
     * @param folder where its event files are
     * @param lastStep how many steps were taken that will not be taken again: TensorBoard forgets
     *     what was written of later ones
     * @return a further event file
     * @throws IOException if it cannot be written; the message names it
     * @throws IllegalArgumentException if the step is negative
     */
    public static TensorBoardEvents resume(Path folder, long lastStep) throws IOException {
        return resume(folder, lastStep, InstantSource.system());
    }

    static TensorBoardEvents resume(Path folder, long lastStep, InstantSource clock)
            throws IOException {
        Check.option(lastStep >= 0, WHO + ": lastStep must be at least 0, got " + lastStep);
        TensorBoardEvents events = create(folder, clock);
        EventMessage start = new EventMessage().whole(1, 1);
        events.append(events.event().whole(STEP, lastStep + 1).message(SESSION_LOG, start));
        return events;
    }

    /** {@inheritDoc} */
    @Override
    public void write(long step, Map<String, ? extends Number> values) throws IOException {
        EventMessage summary = new EventMessage();
        values.forEach(
                (name, value) ->
                        summary.message(
                                VALUE,
                                new EventMessage()
                                        .text(TAG, name)
                                        .number(SIMPLE_VALUE, value.floatValue())));
        if (!values.isEmpty()) {
            append(step, summary);
        }
    }

    /**
     * Writes a picture.
     *
     * @param step how many steps were taken, at least 0
     * @param name what it is called
     * @param image the picture, which is kept as a PNG
     * @throws IOException if it cannot be written; the message names the file
     */
    public void image(long step, String name, Image image) throws IOException {
        ByteArrayOutputStream png = new ByteArrayOutputStream();
        image.save(png, "png");
        EventMessage picture =
                new EventMessage()
                        .whole(1, image.getHeight())
                        .whole(2, image.getWidth())
                        .whole(3, RGB)
                        .bytes(4, png.toByteArray());
        EventMessage value = new EventMessage().text(TAG, name).message(IMAGE, picture);
        append(step, new EventMessage().message(VALUE, value));
    }

    private EventMessage event() {
        Instant now = clock.instant();
        return new EventMessage().number(WALL_TIME, now.getEpochSecond() + now.getNano() * 1e-9);
    }

    private void append(long step, EventMessage summary) throws IOException {
        Check.option(step >= 0, WHO + ": step must be at least 0, got " + step);
        append(event().whole(STEP, step).message(SUMMARY, summary));
    }

    private void append(EventMessage event) throws IOException {
        synchronized (file) {
            try {
                file.append(event.record());
            } catch (IOException e) {
                throw new IOException(WHO + ": " + e.getMessage(), e);
            }
        }
    }

    /** {@inheritDoc} */
    @Override
    public void close() throws IOException {
        file.close();
    }
}
