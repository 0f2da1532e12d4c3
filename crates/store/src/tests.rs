mod behaviour;
mod crashes;
mod damage;
mod image;
mod pots;
mod snapshots;
mod trouble;
