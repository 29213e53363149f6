package org.slotwise.examples.pictures;

import java.io.Closeable;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.RandomAccessFile;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.BitSet;
import java.util.Iterator;
import java.util.Objects;
import java.util.stream.Stream;
import org.jspecify.annotations.Nullable;
import org.slotwise.data.Scene;
import org.slotwise.data.Scenes;
import org.slotwise.data.file.SceneFiles;

/**
 * Pictures in one size, in a temporary file of records of one length: every picture is decoded
 * once, whatever is wrong with one is said before any work is done, and those that can only be read
 * from the start can be had in any order.
 */
final class OwnPictures implements Scenes, Closeable {

    private static final int CHANNELS = 3;
    private static final long TELL_EVERY = 10_000_000_000L;

    private final int side;
    private final boolean masks;
    private final @Nullable Integer nothing;
    private final BitSet masked = new BitSet();
    private final Path path;
    // Not a channel: that is closed when its thread is interrupted.
    private final RandomAccessFile file;
    private long size;

    private OwnPictures(int side, boolean masks, @Nullable Integer nothing) throws IOException {
        this.side = side;
        this.masks = masks;
        this.nothing = nothing;
        path = Files.createTempFile("slotwise-pictures", ".tmp");
        file = new RandomAccessFile(path.toFile(), "rw");
        try {
            // An open file goes on without a name: a process that is killed leaves nothing.
            Files.delete(path);
        } catch (IOException e) {
            path.toFile().deleteOnExit(); // Windows keeps names of open files
        }
    }

    /**
     * Copies pictures.
     *
     * @param files in squares of a size
     * @param side that size
     * @param nothing which label of a mask counts for nothing; null for none
     * @param out where it is told how far that is, if it takes long
     */
    static OwnPictures of(SceneFiles files, int side, @Nullable Integer nothing, PrintWriter out)
            throws IOException {
        SmallPictures.refuse(files, side);
        OwnPictures own = new OwnPictures(side, files.haveMasks(), nothing);
        try (Stream<Scene> scenes = files.open()) {
            long next = System.nanoTime() + TELL_EVERY;
            for (Iterator<Scene> each = scenes.iterator(); each.hasNext(); ) {
                own.add(each.next());
                if (System.nanoTime() >= next) {
                    out.printf("%d pictures read%n", own.size);
                    out.flush();
                    next = System.nanoTime() + TELL_EVERY;
                }
            }
            return own;
        } catch (UncheckedIOException e) {
            own.close();
            throw e.getCause();
        } catch (IOException | RuntimeException e) {
            own.close();
            throw e;
        }
    }

    private void add(Scene scene) throws IOException {
        if (scene.height() != side || scene.width() != side) {
            throw new IOException(
                    "picture " + size + " is " + scene + ", expected " + side + " x " + side);
        }
        file.write(scene.image());
        if (masks) {
            // A record has a place for a mask, whether there is one or not.
            file.write(scene.hasMask() ? scene.mask() : new byte[pixels()]);
            masked.set(Math.toIntExact(size), scene.hasMask());
        }
        size++;
    }

    private int pixels() {
        return side * side;
    }

    /** Those that have masks. */
    Scenes masked() {
        return masked.cardinality() == size ? this : new Chosen(this, masked.stream().toArray());
    }

    /** Whether one has a mask. */
    boolean isMasked(int index) {
        return masked.get(index);
    }

    @Override
    public long size() {
        return size;
    }

    @Override
    public Scene get(long index) throws IOException {
        Objects.checkIndex(index, size);
        byte[] image = new byte[CHANNELS * pixels()];
        byte[] mask = new byte[masks ? pixels() : 0];
        synchronized (file) {
            file.seek(index * (image.length + mask.length));
            file.readFully(image);
            file.readFully(mask);
        }
        if (!masked.get(Math.toIntExact(index))) {
            return new Scene(side, side, image);
        }
        Scene scene = new Scene(side, side, image, mask);
        return nothing == null ? scene : scene.withVoid(nothing);
    }

    @Override
    public void close() throws IOException {
        file.close();
        Files.deleteIfExists(path);
    }
}
